"""Keys of forks, merges and reinvestment."""

from services.settings.key import BINDS_ALL, Key, Stricter, ValueType, choice, every_tier, listing, money, share, whole

LOWER, HIGHER = Stricter.LOWER, Stricter.HIGHER
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_REINVESTING = ("REV", "COM")

FORK: tuple[Key, ...] = (
    money(
        "fork.surplusThreshold",
        f"How far total value must exceed the initial balance before the account may fork. {BINDS_ALL}",
        tiers=every_tier("50000"),
        stricter=HIGHER,
    ),
    share("fork.surplusShare", "The part of the surplus that leaves into forks.", default=1, stricter=LOWER),
    share("fork.genShare", "The part of what leaves that becomes a new GEN account.", default=0.5),
    share("fork.comShare", "The part of what leaves that becomes a new COM account.", default=0.5),
    money(
        "fork.minimumRemaining",
        f"What must stay in the account after a fork. {BINDS_ALL}",
        tiers=every_tier("25000"),
        stricter=HIGHER,
    ),
    money("fork.initialBalance", "The initial balance; without it, what first funded the account."),
    whole(
        "fork.cooldownHours",
        f"Hours between two forks of one account. {BINDS_ALL}",
        0,
        8784,
        tiers=every_tier(24),
        unit="hours",
        stricter=HIGHER,
    ),
    whole(
        "fork.maxPerDay",
        f"Forks of one account on one market date at most. {BINDS_ALL}",
        0,
        1000,
        tiers=every_tier(5),
        unit="forks",
        stricter=LOWER,
    ),
    choice(
        "fork.automatic",
        "What happens when the threshold is reached: nothing, a proposal, or the fork itself.",
        "OFF",
        "PROPOSE",
        "PERFORM",
        default="OFF",
        stricter=LOWER,
    ),
)

MERGE: tuple[Key, ...] = (
    money(
        "merge.branchThreshold",
        "The total value at which a forked branch is to merge into the parent's COM account.",
        tiers=every_tier("500000"),
        stricter=LOWER,
    ),
    Key(
        name="merge.comAccount",
        type=ValueType.ID,
        description="The COM account that branches merge into; without it, the one COM account beside the parent.",
    ),
)

REINVEST: tuple[Key, ...] = (
    listing(
        "reinvest.triggers",
        "What starts a reinvestment; an empty list starts none.",
        "SCHEDULE",
        "PROFIT",
        "DIVIDEND",
        "POSITION_CLOSED",
        tiers={"REV": ["SCHEDULE"], "COM": ["SCHEDULE"]},
        stricter=Stricter.SUBSET,
    ),
    listing(
        "reinvest.months", "The months of the schedule.", *MONTHS, default=["MAR", "JUN", "SEP", "DEC"], unit="months"
    ),
    share("reinvest.profitShare", "The profit that starts a reinvestment.", default=0.15, stricter=HIGHER),
    share("reinvest.contractsShare", "The part that goes into contracts.", default=0.75),
    share("reinvest.leapsShare", "The part that goes into LEAPS.", default=0.25),
    money(
        "reinvest.minimum",
        "The smallest amount of one reinvestment.",
        tiers=dict.fromkeys(_REINVESTING, "10000"),
        stricter=HIGHER,
    ),
    money(
        "reinvest.maximum",
        "The largest amount of one reinvestment.",
        tiers=dict.fromkeys(_REINVESTING, "1000000"),
        stricter=LOWER,
    ),
)
