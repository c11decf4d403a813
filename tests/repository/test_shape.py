"""How modules and functions look, whoever wrote them."""

import ast
import re
from collections.abc import Iterator

from tests.support.checkout import PACKAGES, Module, modules, texts

MOST_MODULE_LINES = 400
MOST_FUNCTION_LINES = 70
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
# Joined here, so that this file does not hold them. What cannot run on a platform is marked with its condition.
UNFINISHED = re.compile(
    "|".join(
        (
            r"\bTO" + r"DO\b",
            r"\bFIX" + r"ME\b",
            r"#.*\bX" + r"XX\b",
            r"pytest\.sk" + r"ip\(",
            r"mark\.sk" + r"ip\b(?!if)",
        )
    )
)
CODE = (*PACKAGES, "scripts", "bench", "tests")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_no_module_is_long() -> None:
    long = {module.path: len(module.lines) for module in modules(*CODE) if len(module.lines) > MOST_MODULE_LINES}
    assert long == {}


def test_no_function_is_long() -> None:
    long = {
        f"{module.path}:{function.name}": length(function)
        for module in modules(*CODE)
        for function in ast.walk(module.tree)
        if isinstance(function, Function) and length(function) > MOST_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [module.path for module in modules(*CODE) if module.lines and ast.get_docstring(module.tree) is None]
    assert silent == []


def test_every_public_function_and_class_says_what_it_is() -> None:
    silent = [each for module in modules(*PACKAGES, "scripts", "bench") for each in undocumented(module)]
    assert silent == []


def test_packages_hold_nothing_in_their_init() -> None:
    full = [module.path for module in modules(*CODE) if module.path.endswith("__init__.py") and module.lines]
    assert full == []


def test_modules_are_named_for_what_they_hold() -> None:
    names = {module.path: module.path.rpartition("/")[2].removesuffix(".py") for module in modules(*CODE)}
    assert {path for path, name in names.items() if name in VAGUE_NAMES} == set()


def test_nothing_is_left_for_later() -> None:
    code = ((path, text) for path, text in texts() if path.endswith((".py", ".mjs", ".ts", ".sh", "Makefile", "run")))
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in code
        for number, line in enumerate(text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_the_product_imports_neither_tests_nor_scripts() -> None:
    found = [
        f"{module.path}: {name}"
        for module in modules(*PACKAGES)
        for node in ast.walk(module.tree)
        for name in imported(node)
        if name.split(".")[0] in {"tests", "scripts", "bench"}
    ]
    assert found == []


def length(function: Function) -> int:
    """The lines of a function, its decorators left out."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def imported(node: ast.AST) -> list[str]:
    """The modules that an import statement names; none for another node."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def undocumented(module: Module) -> Iterator[str]:
    """The public functions, classes and methods of a module without a docstring.

    A method that a base class defines, and a property's setter, need none of their own; neither does a type of the
    API's schema, whose description is text for clients.
    """
    for node in module.tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not has_description(node):
            yield f"{module.path}:{node.name}"
        if isinstance(node, ast.ClassDef) and not node.bases:
            methods = (each for each in node.body if isinstance(each, Function) and not each.name.startswith("_"))
            for method in methods:
                if ast.get_docstring(method) is None and not has_description(method):
                    yield f"{module.path}:{node.name}.{method.name}"


def has_description(node: Function | ast.ClassDef) -> bool:
    """Whether a decorator of the schema describes it."""
    return any(
        keyword.arg == "description"
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    )
