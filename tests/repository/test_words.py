"""What neither a tracked file nor a commit message says: it would not be true on another machine, or of the product."""

import re

import pytest

from tests.support.checkout import git, texts

# Each is joined from parts, so that this file does not hold what it looks for.
REGISTRIES = (
    ("py" + "pi", "org"),
    ("pythonhosted", "org"),
    ("npm" + "js", "org"),
    ("yarn" + "pkg", "com"),
    ("maven", "org"),
    ("maven", "apache.org"),
    ("crates", "io"),
    ("proxy.golang", "org"),
    ("deb.debian", "org"),
    ("archive.ubuntu", "com"),
    ("anaconda", "org"),
)
PLACES = ("/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/[a-z]", "/Us" + "ers/[a-z]")
WORDS = (
    "is" + r"sues?\s+(number\s+)?#?\d+",
    "assis" + "tant",
    "clau" + "de",
    "anthro" + "pic",
    "open" + "ai",
    "chat" + "gpt",
    "co" + "pilot",
    r"\bLL" + r"Ms?\b",
    r"\bA" + r"I\b",
    r"\bfa" + "rm-",
    "(developer|coding|agent|previous|next) " + "session",
    r"co-authored" + "-by",
)
FORBIDDEN = {
    "a registry's host": re.compile("|".join(re.escape(".".join(host)) for host in REGISTRIES), re.IGNORECASE),
    "a path of one machine": re.compile(rf"(?<![\w.}}])({'|'.join(PLACES)})"),
    "how it was made": re.compile("|".join(WORDS[:7] + WORDS[9:]), re.IGNORECASE),
    "what it was made with": re.compile("|".join(WORDS[7:9])),
}
# A licence's text is somebody else's.
QUOTED = {"LICENSE", "services/market/prices-licence.txt"}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_says(what: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts()
        if path not in QUOTED
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_commit_says(what: str) -> None:
    commits = [commit.strip() for commit in git("log", "--format=%h %B%x00").split("\0")]
    assert [commit for commit in commits if FORBIDDEN[what].search(commit)] == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a registry's host", "see https://" + "py" + "pi.org/simple"),
        ("a path of one machine", 'open("' + "/ho" + 'me/anna/x")'),
        ("a path of one machine", "cd /wo" + "rk/main"),
        ("how it was made", "as is" + "sue #12 asks"),
        ("what it was made with", "written by an A" + "I"),
    ],
)
def test_what_is_forbidden_would_be_found(what: str, text: str) -> None:
    assert FORBIDDEN[what].search(text)


@pytest.mark.parametrize("text", ["/graphql/work/x", "the session ends", "tokens are issued for 1 h", "AIR", "email"])
def test_what_is_not_forbidden_is_let_be(text: str) -> None:
    assert not any(pattern.search(text) for pattern in FORBIDDEN.values())
