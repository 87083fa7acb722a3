"""Lets an admin try a prompt on one question.

Rule: only the admin sees the answer. Only the draft and the cost are stored, and the
cost counts towards the same budgets as an answer.
"""

import logging
import time
from collections.abc import Callable, Mapping

from bot.budgets import summary
from bot.claude import one_shot
from bot.claude.one_shot import Completion
from bot.commands.router import Handler
from bot.context import prompt as context_prompt
from bot.conversation.outcomes import ending_note
from bot.domain.budget import BudgetExceeded, Charge
from bot.domain.completion import ChatMessage, Request
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.domain.setting import Draft
from bot.errors import Unacceptable
from bot.messages import commands as messages
from bot.messages import labels
from bot.ports.model import Model
from bot.ports.store import TrialStore
from bot.settings import parsers
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator
from bot.settings.options import BY_NAME
from bot.settings.target import scope_argument
from bot.ui import formatting
from bot.ui.elements import Button, Command, Field, Form, Kind, Response, Style, in_part

log = logging.getLogger(__name__)

PROMPT = BY_NAME["prompt"]

# The time limit, in seconds: a Discord interaction can be answered for 15 minutes
# (platform facts B2), and people wait for less.
PATIENCE = 120.0

QUESTION_CHARS = 2_000


class PromptTrial:
    """Handlers of the commands that try a prompt."""

    def __init__(
        self,
        store: TrialStore,
        model: Model,
        access: SettingsAccess,
        operator: Operator,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._model = model
        self._access = access
        self._operator = operator
        self._now = now

    def handlers(self) -> Mapping[str, Handler]:
        return {"prompt try": self.form, "try run": self.run}

    async def form(self, command: Command, place: Scope, person: Person) -> Form:
        """Return the form for a draft and a question."""
        policy, _ = await self._access.about(command, place, person, PROMPT)
        await self._access.require(person, place, policy, PROMPT)
        prompt = await self._access.prompt(policy)
        return Form(
            Command("try run", {"where": scope_argument(command, policy.place)}),
            labels.TRY_PROMPT,
            (
                Field(
                    *("prompt", labels.PROMPT_DRAFT, Kind.TEXT, prompt.text or ""),
                    most=PROMPT.most,
                ),
                Field(
                    *("question", labels.TEST_QUESTION, Kind.LINE),
                    most=QUESTION_CHARS,
                    hint=messages.TRIAL_NOTE,
                ),
            ),
            submit=labels.TRY,
            about=messages.form_for(where=self._access.name(policy.place)),
            place=self._access.name(policy.place),
        )

    async def run(self, command: Command, place: Scope, person: Person) -> Response:
        """Answer one question with a draft prompt, visible to the admin only."""
        policy, _ = await self._access.about(command, place, person, PROMPT)
        await self._access.require(person, place, policy, PROMPT)
        try:
            text = parsers.prompt(command.arguments.get("prompt", ""))
        except Unacceptable as error:
            return Response(error.user_text, field="prompt")
        question = command.arguments.get("question", "").strip()
        if not question:
            return Response(messages.ASK_A_QUESTION, field="question")
        draft = Draft(0, policy.place, PROMPT.name, text, person.id, self._now())
        number = await self._store.save_draft(draft)
        model = policy.fixed_model
        request = Request(
            model=model,
            system=context_prompt.system_prompt(text),
            messages=(
                ChatMessage("user", context_prompt.question(person.name, question)),
            ),
            max_tokens=policy.max_tokens,
            user=context_prompt.opaque(
                person.id, policy.place.workspace, self._operator.secret
            ),
            effort=policy.used("effort") or None,
            temperature=policy.temperature,
            stop_sequences=policy.stop_sequences,
        )
        newest = await self._store.audit(policy.place, 0.0, 1)
        base = str(newest[0].id if newest else 0)
        with_draft = {"draft": str(number), "base": base}
        answered = await self._answer(request, policy.place, person, question)
        return Response(
            answered.text,
            file=answered.file,
            buttons=(
                Button(
                    labels.SAVE_PROMPT, Command("draft save", with_draft), Style.PRIMARY
                ),
                Button(labels.KEEP_WRITING, Command("draft edit", with_draft)),
            ),
        )

    async def _answer(
        self, request: Request, place: Scope, person: Person, question: str
    ) -> Response:
        policy = await self._access.policy(place)
        charge = Charge(place, person.id, "try", request.model)
        completion = await one_shot.complete_charged(
            *(self._store, self._model, request, charge, policy.caps),
            timeout=PATIENCE,
            now=self._now,
        )
        if isinstance(completion, BudgetExceeded):
            return Response(summary.shortfall(completion, self._now(), {}))
        log.info("prompt.tried place=%s cost=%s", place, completion.cost)
        return _response(question, completion)


def _response(question: str, completion: Completion) -> Response:
    trouble = completion.trouble or ending_note(completion.text, completion.stop_reason)
    shown, file = in_part(completion.text, "answer.md")
    quoted = "\n".join(f"> {line}" for line in question.splitlines())
    price = formatting.amount(completion.cost, bounded=completion.bounded)
    cost = (
        messages.UNKNOWN_COST
        if completion.cost is None
        else messages.trial_cost(amount=price)
    )
    text = "\n".join(
        filter(
            None,
            [
                messages.TRIAL_HEAD,
                quoted,
                "",
                shown,
                f"_{trouble}_" if trouble else "",
                cost,
            ],
        )
    )
    return Response(text, file=file)
