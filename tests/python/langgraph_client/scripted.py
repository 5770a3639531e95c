"""A chat model that plays a script, and the tutorial's kind of graph around it."""

from typing import Any, Callable, List, Optional, Sequence, Union

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

RISKY = frozenset({"approve_access_request", "approve_operation_approval"})
Line = Union[str, AIMessage, Callable[[Sequence[BaseMessage]], Union[str, AIMessage]]]


def use(tool: str, **arguments: Any) -> AIMessage:
    """A model's wish to call one tool."""
    return both((tool, arguments))


def both(*calls: Any) -> AIMessage:
    """A model's wish to call several tools in one message."""
    wishes = [
        {"name": name, "args": arguments, "id": f"call-{number}-{name}", "type": "tool_call"}
        for number, (name, arguments) in enumerate(calls)
    ]
    return AIMessage(content="", tool_calls=wishes)


class ScriptedModel(BaseChatModel):
    """Says its lines in order; a line may be made from what was said before."""

    lines: List[Any]
    offered: List[str] = []

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> "ScriptedModel":
        self.offered = [tool.name for tool in tools]
        return self

    def _generate(
        self, messages: List[BaseMessage], stop: Optional[List[str]] = None, run_manager: Any = None, **_: Any
    ) -> ChatResult:
        assert self.lines, f"the script is over, but the graph asks again after {messages[-1]!r}"
        line = self.lines.pop(0)
        said = line(messages) if callable(line) else line
        message = said if isinstance(said, AIMessage) else AIMessage(content=said)
        return ChatResult(generations=[ChatGeneration(message=message)])


def build(model: ScriptedModel, tools: Sequence[Any]) -> Any:
    """Model, review, tools: a risky call waits for a human, and a refusal answers every call of its message."""
    speaker = model.bind_tools(tools)

    async def think(state: MessagesState) -> dict:
        return {"messages": [await speaker.ainvoke(state["messages"])]}

    def review(state: MessagesState) -> Command:
        calls = state["messages"][-1].tool_calls
        risky = [call for call in calls if call["name"] in RISKY]
        if not risky:
            return Command(goto="act")
        answer = interrupt({"question": "May this run?", "calls": risky})
        if answer["action"] == "yes":
            return Command(goto="act")
        declined = [
            ToolMessage(f"A human declined {call['name']} with {call['args']}; it did not run.", tool_call_id=call["id"])
            for call in calls
        ]
        return Command(goto="think", update={"messages": declined})

    def after_thinking(state: MessagesState) -> str:
        return "review" if state["messages"][-1].tool_calls else END

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("review", review, destinations=("think", "act"))
    graph.add_node("act", ToolNode(tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", after_thinking, ["review", END])
    graph.add_edge("act", "think")
    return graph.compile(checkpointer=MemorySaver())


class Conversation:
    """One thread of the graph: say something, answer an interrupt, look at what the tools returned."""

    def __init__(self, tools: Sequence[Any], *lines: Line):
        self.model = ScriptedModel(lines=list(lines))
        self.graph = build(self.model, tools)
        self.config = {"configurable": {"thread_id": "evening"}, "recursion_limit": 50}

    async def say(self, text: str) -> Any:
        return await self._run({"messages": [("user", text)]})

    async def answer(self, action: str) -> Any:
        return await self._run(Command(resume={"action": action}))

    async def _run(self, given: Any) -> Any:
        """Runs until the end or an interrupt; returns the interrupt's question, or None."""
        asked = None
        async for event in self.graph.astream(given, self.config, stream_mode="updates"):
            if "__interrupt__" in event:
                asked = event["__interrupt__"][0].value
        return asked

    @property
    def messages(self) -> List[BaseMessage]:
        return self.graph.get_state(self.config).values["messages"]

    @property
    def results(self) -> List[ToolMessage]:
        return [message for message in self.messages if isinstance(message, ToolMessage)]

    @property
    def last_result(self) -> ToolMessage:
        return self.results[-1]
