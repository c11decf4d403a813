"""Users: made, disabled and appointed by the installation's administrator; each changes their own password."""

import hashlib
import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pydantic import SecretStr

from graph import installation, users
from graph.database import Reader, Row, Transaction
from graph.ids import Kind
from graph.journal import Recorder
from services.commands import Act, Command, Effect, Target
from services.desk import Desk
from services.installation import new_user
from services.passwords import check_password, hash_password, verify_password
from services.problems import Problem, ProblemCode, Refused, invalid, refuse, violation

_USERNAME = re.compile(r"[A-Za-z0-9._@-]{3,64}", re.ASCII)


def check_username(username: str, *path: str) -> list[Problem]:
    """The problem of a name that is not 3 to 64 of letters, digits and `._@-`."""
    if _USERNAME.fullmatch(username):
        return []
    return [invalid(f"{path[-1]} must have 3 to 64 letters, digits or . _ @ -", *path)]


@dataclass(frozen=True, slots=True)
class UserPlan:
    """The user as they are (none yet for a new one), and the hash of the new password where there is one."""

    user: Row | None
    password: str = ""


class UserCommand(Command[UserPlan]):
    """What concerns users belongs to the installation: its lock, its feed."""

    def targets(self) -> Sequence[Target]:
        return ()

    def administrative(self) -> bool:
        return True

    def structures(self, act: Act, desk: Desk) -> Sequence[str]:
        del act
        return (desk.installation,)


class CreateUser(UserCommand):
    """Makes a user who may sign in at once and sees nothing yet."""

    action: ClassVar[str] = "createUser"
    username: str
    password: SecretStr

    @cached_property
    def _stretched(self) -> str:
        return stretched(self.password, self.operation_id)

    def comparable(self) -> dict[str, Any]:
        return {"username": self.username, "password": self._stretched}

    def check(self) -> list[Problem]:
        password = check_password(self.password.get_secret_value(), "password")
        return [*check_username(self.username, "username"), *password]

    async def gather(self, desk: Desk, act: Act) -> str:
        del desk, act
        return await hash_password(self.password.get_secret_value())

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> UserPlan:
        del desk
        if await users.by_key(reader, self.username) is not None:
            raise Refused(invalid("username must be one that nobody has yet", "username"))
        return UserPlan(None, act.facts)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: UserPlan) -> Effect:
        user_id = act.new_id(Kind.USER)
        after = {"username": self.username, "administrator": False, "disabled": False}
        at = recorder.add("USER_CREATED", [user_id], None, after)
        await users.create(transaction, new_user(user_id, self.username, plan.password, at))
        return Effect({"username": self.username})


class ChangeUser(UserCommand):
    """A change of one property of another user."""

    username: str

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> UserPlan:
        del act
        user = await users.by_key(reader, self.username)
        if user is None:
            raise refuse(ProblemCode.NOT_FOUND, "there is no user of this name", "username")
        if self.removes() and user["administrator"] and not user["disabled"]:
            await require_another_administrator(desk, reader)
        return UserPlan(user)

    @abstractmethod
    def removes(self) -> bool:
        """Whether the user would administer the installation no more."""


class SetUserDisabled(ChangeUser):
    """Disables a user, whose sessions end at once, or enables them again."""

    action: ClassVar[str] = "setUserDisabled"
    disabled: bool

    def removes(self) -> bool:
        return self.disabled

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: UserPlan) -> Effect:
        del act
        assert plan.user is not None
        before, after = {"disabled": plan.user["disabled"]}, {"disabled": self.disabled}
        recorder.add("USER_UPDATED", [plan.user["id"]], before, after)
        await users.change(transaction, plan.user["id"], after)
        if self.disabled:
            await users.end_sessions(transaction, plan.user["id"])
        return Effect({"username": plan.user["username"]})


class SetAdministrator(ChangeUser):
    """Makes a user an administrator of the installation, or takes that from them."""

    action: ClassVar[str] = "setAdministrator"
    administrator: bool

    def removes(self) -> bool:
        return not self.administrator

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: UserPlan) -> Effect:
        del act
        assert plan.user is not None
        before, after = {"administrator": plan.user["administrator"]}, {"administrator": self.administrator}
        at = recorder.add("USER_UPDATED", [plan.user["id"]], before, after)
        home = recorder.feed
        if self.administrator:
            await installation.appoint(transaction, home, plan.user["id"], at)
        else:
            await installation.dismiss(transaction, home, plan.user["id"])
        return Effect({"username": plan.user["username"]})


class ChangePassword(UserCommand):
    """The caller's own password; every other session of theirs ends."""

    action: ClassVar[str] = "changePassword"
    current_password: SecretStr
    new_password: SecretStr

    @cached_property
    def _stretched(self) -> str:
        both = f"{self.current_password.get_secret_value()}\n{self.new_password.get_secret_value()}"
        return stretched(SecretStr(both), self.operation_id)

    def comparable(self) -> dict[str, Any]:
        return {"passwords": self._stretched}

    def administrative(self) -> bool:
        return False

    def check(self) -> list[Problem]:
        return check_password(self.new_password.get_secret_value(), "newPassword")

    async def gather(self, desk: Desk, act: Act) -> str:
        user = await users.by_key(desk.database, act.viewer.username)
        stored = user["password"] if user else None
        if not await verify_password(stored, self.current_password.get_secret_value()):
            raise refuse(ProblemCode.FORBIDDEN, "currentPassword is not your password", "currentPassword")
        return await hash_password(self.new_password.get_secret_value())

    async def plan(self, desk: Desk, reader: Reader, act: Act) -> UserPlan:
        del desk
        return UserPlan(await users.by_key(reader, act.viewer.username), act.facts)

    async def apply(self, transaction: Transaction, recorder: Recorder, act: Act, plan: UserPlan) -> Effect:
        recorder.add("USER_UPDATED", [act.viewer.user_id], None, {"password": "changed"})
        await users.change(transaction, act.viewer.user_id, {"password": plan.password})
        await users.end_sessions(transaction, act.viewer.user_id, act.viewer.session_id or "")
        return Effect({"username": act.viewer.username})


async def require_another_administrator(desk: Desk, reader: Reader) -> None:
    """Refuses to take the administration from the last one who has it."""
    if await installation.administrators(reader, desk.installation) > 1:
        return
    message = "the last administrator of the installation cannot be removed; appoint another one first"
    raise violation(message, "username", rule="LAST_ADMINISTRATOR", current="1", required="2")


def stretched(secret: SecretStr, salt: str) -> str:
    """What inputs are compared by in place of a secret: scrypt (RFC 7914), which is slow to guess back."""
    return hashlib.scrypt(secret.get_secret_value().encode(), salt=salt.encode(), n=2**13, r=8, p=1).hex()
