"""Who may ask for each mutation, as the reference of the API tells it."""

from collections.abc import Mapping

from services.permissions import PERMISSIONS, Permission

RIGHTS: Mapping[str, Permission] = {
    "createGroup": Permission.CREATE,
    "updateGroup": Permission.UPDATE,
    "closeGroup": Permission.UPDATE,
    "createTemplate": Permission.CREATE,
    "updateTemplate": Permission.UPDATE,
    "createAccount": Permission.CREATE,
    "updateAccount": Permission.UPDATE,
    "changeAccountStatus": Permission.UPDATE,
    "move": Permission.MOVE,
    "configure": Permission.CONFIGURE,
    "deposit": Permission.POST,
    "withdraw": Permission.POST,
    "transfer": Permission.POST,
    "adjustCash": Permission.CORRECT,
    "reverseEntry": Permission.CORRECT,
    "postFee": Permission.CORRECT,
    "postDividend": Permission.CORRECT,
    "placeOrder": Permission.TRADE,
    "cancelOrder": Permission.TRADE,
    "decideOperation": Permission.DECIDE,
    "bulkImport": Permission.CREATE,
    "cancelImport": Permission.CREATE,
    "resumeImport": Permission.CREATE,
    "grant": Permission.GRANT,
    "revoke": Permission.GRANT,
}
"""The permission that each mutation on nodes takes on them."""
EVERYBODY = {
    "signIn": "everybody, signed in or not",
    "signOut": "every signed-in user",
    "changePassword": "every signed-in user",
}
ADMINISTRATOR = frozenset(
    ("createUser", "setUserDisabled", "setAdministrator", "advanceMarketDate", "haltSymbol", "resumeSymbol")
)
FOUNDING = frozenset(("createGroup",))
"""What makes a tenant of its own where no parent is given."""


def who_may(mutation: str) -> str:
    """Who may ask for this mutation, in words. Raises KeyError for one that nothing is known of."""
    if mutation in EVERYBODY:
        return EVERYBODY[mutation]
    if mutation in ADMINISTRATOR:
        return "the installation's administrator"
    roles = ", ".join(f"[{role}](#Role.{role})" for role in roles_of(mutation))
    alone = "; the administrator alone where no parent is given" if mutation in FOUNDING else ""
    return f"{roles} and the installation's administrator{alone}"


def roles_of(mutation: str) -> list[str]:
    """The roles whose holders may ask for this mutation on nodes. Raises KeyError for another mutation."""
    right = RIGHTS[mutation]
    return [role for role, held in PERMISSIONS.items() if right in held]
