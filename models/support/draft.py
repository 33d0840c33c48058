"""The draft that the language model hands in at the end of a run."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from models.support.actions import Currency, Minor, Money


class _Output(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, str_strip_whitespace=True)


class Amount(_Output):
    """Money that the reply promises."""

    amount_minor: Minor
    currency: Currency

    def money(self) -> Money:
        """The same, to be compared with what was intended."""
        return Money(self.amount_minor, self.currency)


class Draft(_Output):
    """The answer to the customer, and what it rests on."""

    reply: Annotated[
        str, Field(min_length=1, max_length=4_000, description="To the customer, in their language.")
    ]
    summary: Annotated[
        str,
        Field(min_length=1, max_length=1_000, description="For colleagues: what it was, and what was done."),
    ]
    cites: Annotated[
        list[str],
        Field(max_length=10, description="Ids of the policy documents that were found and that it rests on."),
    ]
    promised: Annotated[
        list[Amount],
        Field(max_length=10, description="Each amount in the reply: exactly those of the tools' calls."),
    ]
