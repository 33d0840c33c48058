"""The support agent: from an escalated ticket to a resolution or a person, behind the common contract."""
