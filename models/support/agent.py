"""The agent loop, by pydantic-ai with tools: from a ticket to a draft that passes the checks."""

from typing import Any

from pydantic_ai import Agent, ModelRetry, RunContext, Tool, ToolOutput
from pydantic_ai.exceptions import ContentFilterError, UnexpectedModelBehavior
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits

from models.support.actions import EscalateToHuman, IssueRefund, SendVoucher
from models.support.answering import BreachError
from models.support.checking import check
from models.support.draft import Draft
from models.support.plan import AgentPlan
from models.support.searching import SEARCH, SearchPolicies
from models.support.steps import Begun
from models.support.tools import Tools

FINAL = "final_result"
"""The tool by which the model hands in its draft."""


async def reason(tools: Tools, model: Model, begun: Begun) -> Draft:
    """The draft that this run comes to, taken up where its journal ends.

    Raises `BreachError` and `NoLlmError`, `Unavailable`, and what the journal raises.
    """
    try:
        result = await _agent(tools.plan).run(
            begun.prompt,
            model=model,
            instructions=begun.instructions,
            deps=tools,
            usage_limits=UsageLimits(request_limit=None),  # the journal counts, over all who work on the run
        )
    except ContentFilterError as error:
        raise BreachError("refusal", error.message) from error
    except UnexpectedModelBehavior as error:
        raise BreachError("checks", error.message) from error
    return result.output


def _agent(plan: AgentPlan) -> Agent[Tools, Draft]:
    """An agent for one run: made in 3 ms, and nothing of it is bound to another run's event loop."""
    corrections = plan.budgets.corrections
    agent = Agent(
        output_type=ToolOutput(Draft, name=FINAL),
        deps_type=Tools,
        tools=[
            _tool(_search_policies, SEARCH, SearchPolicies),
            _tool(_issue_refund, "issue_refund", IssueRefund),
            _tool(_send_voucher, "send_voucher", SendVoucher),
            _tool(_escalate_to_human, "escalate_to_human", EscalateToHuman),
        ],
        retries={"tools": corrections, "output": corrections},
        model_settings=ModelSettings(max_tokens=plan.llm.max_output_tokens, temperature=plan.llm.temperature),
    )
    agent.output_validator(_checked)
    return agent


def _tool(
    function: Any, name: str, arguments: type[SearchPolicies | IssueRefund | SendVoucher | EscalateToHuman]
) -> Tool[Tools]:
    # one after another, in the order in which they were called: the journal is read in that order
    return Tool(function, name=name, description=arguments.__doc__, sequential=True)


async def _search_policies(
    context: RunContext[Tools], arguments: SearchPolicies
) -> list[dict[str, str]] | str:
    return context.deps.search(arguments)


async def _issue_refund(context: RunContext[Tools], arguments: IssueRefund) -> str:
    return context.deps.act(arguments.action())


async def _send_voucher(context: RunContext[Tools], arguments: SendVoucher) -> str:
    return context.deps.act(arguments.action())


async def _escalate_to_human(context: RunContext[Tools], arguments: EscalateToHuman) -> str:
    return context.deps.act(arguments.action())


async def _checked(context: RunContext[Tools], draft: Draft) -> Draft:
    tools = context.deps
    if problems := check(draft, tools.retrieved, tools.intended):
        raise ModelRetry("The draft does not hold:\n" + "\n".join(problems))
    return draft
