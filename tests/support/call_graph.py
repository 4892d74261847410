"""Which functions behind the `forecast` command reach which others, read from the source.

A function reaches every function, class and constant of the packages that it names. Of a class it
reaches the methods whose names some reached function uses as an attribute: whose attribute that is
cannot be known from the source, so that rather too much is reached than too little.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

REPOSITORY = Path(__file__).parents[2]
PACKAGES = {"forecast_operations": "operations", "forecast_packaging": "inference"}
"""Packages whose functions are followed, by the folder that each is in: packaging calls back into
what operations hand it, such as a store to fetch from."""


@dataclass
class Unit:
    """A function, a method, a class or a constant.

    Attributes:
        name: Dotted name, with its module.
        module: Its module.
        nodes: What it consists of; of a class, all but its methods.
        methods: Of a class: its methods by name.
    """

    name: str
    module: str
    nodes: list[ast.AST]
    methods: dict[str, str] = field(default_factory=dict)

    def calls(self, methods: Collection[str]) -> Iterator[ast.Call]:
        """Calls of methods of a name."""
        for node in self.nodes:
            for each in ast.walk(node):
                match each:
                    case ast.Call(func=ast.Attribute(attr=name)) if name in methods:
                        yield each


@cache
def read_modules() -> dict[str, ast.Module]:
    """The packages' modules by their dotted names."""
    modules = {}
    for package, folder in PACKAGES.items():
        root = REPOSITORY / folder
        for path in sorted((root / package).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            text = path.read_text(encoding="utf-8")
            modules[name.removesuffix(".__init__")] = ast.parse(text, str(path))
    return modules


class CallGraph:
    """What is reached from where.

    Attributes:
        units: Functions, classes and constants by their dotted names.
    """

    def __init__(self, modules: dict[str, ast.Module]) -> None:
        self.units: dict[str, Unit] = {}
        self._imported: dict[str, dict[str, str]] = {}
        for name, tree in modules.items():
            self._imported[name] = dict(_imports(tree, modules))
            for statement in tree.body:
                self._define(name, statement)

    def reached_from(self, start: str) -> set[str]:
        """Names of all units that a function reaches, itself included."""
        reached: set[str] = set()
        attributes: set[str] = set()
        waiting = [start]
        while waiting:
            name = self._defined(waiting.pop())
            if name in reached or name not in self.units:
                continue
            reached.add(name)
            unit = self.units[name]
            for node in unit.nodes:
                for each in ast.walk(node):
                    if isinstance(each, ast.Attribute):
                        attributes.add(each.attr)
                    waiting.extend(self._named(unit.module, each))
            waiting.extend(self._methods_of(reached, attributes))
        return reached

    def _defined(self, name: str) -> str:
        """Where a name is defined that a module only passes on."""
        while name not in self.units:
            module, _, symbol = name.rpartition(".")
            passed_on = self._imported.get(module, {}).get(symbol)
            if passed_on is None or passed_on == name:
                return name
            name = passed_on
        return name

    def _methods_of(self, reached: set[str], attributes: set[str]) -> Iterator[str]:
        for name in reached:
            for method, full in self.units[name].methods.items():
                if full not in reached and (method in attributes or method.startswith("__")):
                    yield full

    def _named(self, module: str, node: ast.AST) -> Iterator[str]:
        known = self._imported[module]
        if isinstance(node, ast.Name):
            yield known.get(node.id, f"{module}.{node.id}")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = known.get(node.value.id)
            if owner is not None:
                yield f"{owner}.{node.attr}"

    def _define(self, module: str, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef(name=name):
                self._add(Unit(f"{module}.{name}", module, [statement]))
            case ast.ClassDef(name=name):
                self._define_class(module, name, statement)
            case ast.Assign(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        self._add(Unit(f"{module}.{target.id}", module, [statement.value]))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._add(Unit(f"{module}.{name}", module, [value]))

    def _define_class(self, module: str, name: str, statement: ast.ClassDef) -> None:
        full = f"{module}.{name}"
        functions = [each for each in statement.body if isinstance(each, ast.FunctionDef)]
        rest: list[ast.AST] = [each for each in statement.body if each not in functions]
        rest += [*statement.bases, *statement.decorator_list]
        methods = {each.name: f"{full}.{each.name}" for each in functions}
        self._add(Unit(full, module, rest, methods))
        for each in functions:
            self._add(Unit(f"{full}.{each.name}", module, [each]))

    def _add(self, unit: Unit) -> None:
        self.units[unit.name] = unit


def _imports(tree: ast.Module, modules: Collection[str]) -> Iterator[tuple[str, str]]:
    """What each imported name stands for, wherever in the module it is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(tuple(PACKAGES)):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in modules and alias.asname is not None:
                    yield alias.asname, alias.name
