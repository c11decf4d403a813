"""The one place where an error becomes what a client sees: plain words, a code, and never an inner word."""

import re
import traceback
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import structlog
from graphql import GraphQLError
from ulid import ULID

from accountgraph.limits import LIMIT_EXCEEDED
from graph.errors import CommitUnknown, EngineUnavailable
from services.problems import Problem, ProblemCode, Refused

ErrorBody = dict[str, Any]
MAX_MESSAGE = 500
log = structlog.get_logger()


class Code(StrEnum):
    """The codes in an error's extensions, beside those of the API's problems."""

    BAD_REQUEST = "BAD_REQUEST"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    LIMIT_EXCEEDED = LIMIT_EXCEEDED
    OVERLOADED = "OVERLOADED"
    UNAVAILABLE = "UNAVAILABLE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    INTERNAL = "INTERNAL"


_SUGGESTION = re.compile(r"\s*Did you mean\b.*", re.DOTALL)
_FOUND_OBJECT = re.compile(r",? [Ff]ound: [\[{].*", re.DOTALL)
_ENGINE_GONE = "The account graph cannot be reached at present. Try again in a moment."
_COMMIT_UNKNOWN = "It is not known whether this took effect. Send the same operationId again to find out."
_ABORTED = "Validation aborted."
_LIMIT = re.compile(r"^Validation aborted\.$|^Syntax Error: Document contains more than [0-9]+ ")


def body(message: str, code: str, **extensions: Any) -> ErrorBody:
    """An error of the answer, with its code."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def document_errors(errors: Iterable[GraphQLError], code: Code) -> list[ErrorBody]:
    """What a client sees of a document that does not parse or is not valid; no error suggests a name."""
    return [_shown(error, _plain(error.message), _document_code(error, code)) for error in errors]


def execution_errors(errors: Iterable[GraphQLError]) -> list[ErrorBody]:
    """What a client sees of errors while an operation ran. Unexpected ones are logged under an id."""
    return [_of_execution(error) for error in errors]


def variable_errors(errors: Iterable[GraphQLError]) -> list[ErrorBody]:
    """What a client sees of variables that do not fit their types."""
    return [_shown(error, _plain(error.message), Code.BAD_USER_INPUT) for error in errors]


def internal(fault: BaseException, **facts: Any) -> ErrorBody:
    """The error of a fault in this program: its log has the fault under the id that the message gives."""
    fault_id = str(ULID())
    log.error("fault", fault_id=fault_id, exc_info=fault, **facts)
    message = f"This was not answered because of a fault in the server, which its log has under {fault_id}."
    return body(message, Code.INTERNAL, id=fault_id)


def refused(refusal: Refused) -> ErrorBody:
    """The error of a read that is refused: the first problem's code and path, and all problems if there are more."""
    first = refusal.problems[0]
    extra: dict[str, Any] = {"path": list(first.path)} if first.path else {}
    if len(refusal.problems) > 1:
        extra["problems"] = [_problem(problem) for problem in refusal.problems]
    return body(" ".join(problem.message for problem in refusal.problems), first.code, **extra)


def as_refusal(fault: BaseException) -> Refused | None:
    """The refusal that an expected failure stands for; None where it is a fault of this program."""
    if isinstance(fault, Refused):
        return fault
    if isinstance(fault, CommitUnknown):
        return Refused(Problem(ProblemCode.UNAVAILABLE, _COMMIT_UNKNOWN))
    if isinstance(fault, EngineUnavailable):
        return Refused(Problem(ProblemCode.UNAVAILABLE, _ENGINE_GONE))
    return None


def has_code(errors: Iterable[ErrorBody], code: str) -> bool:
    """Whether one of the errors has this code."""
    return any(error["extensions"]["code"] == code for error in errors)


def _of_execution(error: GraphQLError) -> ErrorBody:
    cause = _cause(error)
    if refusal := as_refusal(cause):
        answer = refused(refusal)
        return _shown(error, answer["message"], answer["extensions"]["code"], answer["extensions"])
    if isinstance(cause, GraphQLError):
        if isinstance(code := (cause.extensions or {}).get("code"), str):
            return _shown(error, _plain(cause.message), code, cause.extensions)
        if _is_about_arguments(cause):
            return _shown(error, _plain(cause.message), Code.BAD_USER_INPUT)
    answer = internal(cause, path=error.path)
    return _shown(error, answer["message"], Code.INTERNAL, answer["extensions"])


def _cause(error: GraphQLError) -> BaseException:
    fault: BaseException = error
    while isinstance(fault, GraphQLError) and isinstance(fault.original_error, Exception):
        fault = fault.original_error
    return fault


def _is_about_arguments(error: GraphQLError) -> bool:
    # graphql-core tells a wrong argument from a wrong result of a resolver by nothing but where it was found.
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code.co_name in {"get_argument_values", "get_directive_values"} for frame, _ in frames)


def _document_code(error: GraphQLError, code: Code) -> str:
    given = (error.extensions or {}).get("code")
    if isinstance(given, str):
        return given
    return Code.LIMIT_EXCEEDED if _LIMIT.search(error.message) else code


def _shown(error: GraphQLError, message: str, code: str, extensions: dict[str, Any] | None = None) -> ErrorBody:
    shown = body(message, code, **{name: value for name, value in (extensions or {}).items() if name != "code"})
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    return shown


def _plain(message: str) -> str:
    if message == _ABORTED:
        return "The document is too involved to be checked. Ask for less at once."
    message = _FOUND_OBJECT.sub(".", _SUGGESTION.sub("", message)).replace("not to be None", "not to be null")
    return message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}..."


def _problem(problem: Problem) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "path": list(problem.path)}
