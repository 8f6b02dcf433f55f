"""The words of each language that CodeBLEU weighs five times.

A list is that of the language's keywords as the metric's authors published it, with its gaps: a
score can only be compared with others of the same list.
"""

from __future__ import annotations

_C = """
    auto break case char const continue default do double else enum extern float for goto if int
    long register return short signed sizeof static struct switch typedef union unsigned void
    volatile while
"""

_JAVA = """
    abstract assert boolean break byte case catch char class const continue default do double else
    enum extends final finally float for goto if implements import instanceof int interface long
    native new package private protected public return short static strictfp super switch
    synchronized this throw throws transient try void volatile while
"""

_LISTS = {
    "python": """
        False None True and as assert async await break case class continue def del elif else
        except finally for from global if import in is lambda match nonlocal not or pass raise
        return try type while with yield
    """,
    "java": _JAVA,
    "javascript": """
        True await break case catch class const continue debugger default delete do else enum
        export extends false finally for function if implements import in instanceof interface let
        new null package private protected public return static super switch this throw try typeof
        var void while with yield
    """,
    "go": """
        break case chan const continue default defer else fallthrough false for func go goto if
        import interface map package range return select struct switch true type var
    """,
    "c": f"{_C} _Packed",
    "cpp": f"""
        {_C} INT_MAX INT_MIN MAX_RAND NULL and and_eq asm bitand bitor bool catch cin class compl
        const_cast cout delete dynamic_cast endl explicit false friend include inline iomanip
        iostream main mutable namespace new not not_eq npos operator or or_eq private protected
        public reinterpret_cast static_cast std string template this throw true try typeid
        typename using virtual wchar_t xor xor_eq
    """,
}

KEYWORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
"""Language to its keywords. Its keys are the languages that can be scored."""
