"""Pairs of programs in six languages: what is said, and what was wanted."""

from __future__ import annotations

PAIRS: dict[str, list[tuple[str, str]]] = {
    "python": [
        (
            "def total(xs):\n    s = 0\n    for x in xs:\n        s += x\n    return s\n",
            "def total(numbers):\n    return sum(numbers)\n",
        ),
        (
            "class A:\n    def __init__(self, n=1):\n        self.n = n + 1  # more\n",
            'class A:\n    """Doc."""\n    def __init__(self, n=2):\n        self.n = n\n',
        ),
        (
            "while a < b:\n    a, b = b, a % b\n    if a:\n        c = a\n    elif b:\n"
            "        c = b",
            "while b:\n    a, b = b, a % b\n    if not a:\n        c = 1\n    else:\n        c = b",
        ),
        (
            "y = [i * j for i in a for j in b if i not in c]\nprint 'x'\nz = y",
            "y = [i for i in a]\nx.z = 'text'\nz = y",
        ),
        ("naïve = 'é'\nb = naïve + ß\nreturn b", "naive = 'e'\nb = naive\nreturn b"),
        ("def f(:\n  x = ", "def f(x):\n  x = 1\n  return x"),
        ("", "x = 1"),
        ("x = 1", ""),
        ("", ""),
    ],
    "java": [
        (
            "int f(int[] a) { int s = 0; for (int i = 0; i < a.length; i++) { s += a[i]; } "
            "if (s > 3) { s = 3; } else if (s < 0) s = 0; return s; }",
            "int f(int[] a) { int s = 0; for (int x : a) { s = s + x; } // sum\n return s; }",
        ),
        (
            'class A { String n = "a b"; void g() { while (x > 0) { x--; y = x; } } }',
            "class A { String n; void g() { while (x > 1) { x--; z = x; } } }",
        ),
    ],
    "javascript": [
        (
            "function f(a) { var s = 0; for (var i = 0; i < a.length; i++) { s += a[i]; } "
            "if (s) { let t = s; } return s; }",
            "const f = (a) => { let s = 0; while (s < 3) { s++; } /* x */ return s; };",
        ),
    ],
    "go": [
        (
            "package main\nfunc f(a []int) int {\n\tvar s int = 0\n\tfor i := 0; i < 3; i++ {\n\t\t"
            "s = s + a[i]\n\t}\n\tif s > 1 {\n\t\ts++\n\t}\n\treturn s\n}\n",
            "package main\nfunc f(a []int) int {\n\tvar s = 0\n\tfor _, x := range a {\n\t\t"
            "s = s + x\n\t}\n\treturn s\n}\n",
        ),
    ],
    "c": [
        (
            "int f(int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }",
            "int f(int *a, int n) { int s = 0, i = n; while (i > 0) { i = i - 1; s = s + a[i]; } "
            "if (s > 1) s = 1; else s = 0; return s; }",
        ),
    ],
    "cpp": [
        (
            "int f(std::vector<int> a) { int s = 0; for (auto x : a) s += x; return s; }",
            "int f(std::vector<int>& a) { int s = 0; for (auto& x : a) { s = s + x; } return s; }",
        ),
    ],
}
