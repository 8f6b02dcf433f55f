"""Templates of small classic exercises: one statement, several programs, and fitting arguments.

In a template the function is called `f`, variables bear the roles of `words.SYNONYMS`, and `K`
and `L` are numbers drawn for each use. Names, numbers and calls make each use a new exercise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from exercise import Arguments, Exercise, dressed
from words import (
    integer,
    integers,
    naturals,
    nonsense,
    numbers_table,
    sentence,
    tallies,
    text_word,
    text_words,
    word,
)


@dataclass(frozen=True, slots=True)
class Classic:
    """Statement, arguments and sources of one template."""

    statement: str
    arguments: Callable[[Random], Arguments]
    sources: tuple[str, ...]


def classic(rng: Random) -> Exercise | None:
    """An exercise from one of the templates; it shows two or three of its programs at most."""
    template = rng.choice(CLASSICS)
    numbers = {"K": str(rng.randint(2, 6)), "L": str(rng.randint(7, 12))}

    def filled(text: str) -> str:
        return re.sub(r"\b[KL]\b", lambda match: numbers[match.group()], text)

    count = min(len(template.sources), rng.randint(1, 3))
    return dressed(
        rng,
        statement=filled(template.statement),
        sources=[filled(source) for source in rng.sample(template.sources, count)],
        arguments=template.arguments,
    )


def _xs(rng: Random) -> Arguments:
    return (integers(rng),)


def _xs_k(rng: Random) -> Arguments:
    return integers(rng), rng.randint(1, 5)


def _xs_x(rng: Random) -> Arguments:
    xs = integers(rng)
    return xs, rng.choice([*xs, integer(rng)])


def _xs_ys(rng: Random) -> Arguments:
    xs, ys = integers(rng), integers(rng)
    return xs, ys + rng.sample(xs, min(len(xs), rng.randint(0, 2)))


def _equal_lists(rng: Random) -> Arguments:
    xs = integers(rng)
    return xs, [integer(rng) for _ in xs]


def _sorted_lists(rng: Random) -> Arguments:
    return sorted(integers(rng)), sorted(integers(rng))


def _filled(rng: Random) -> Arguments:
    return ([integer(rng), *integers(rng)],)


def _n(rng: Random) -> Arguments:
    return (rng.choice((0, 1, 2, rng.randint(3, 9), rng.randint(10, 40), rng.randint(41, 999))),)


def _small(rng: Random) -> Arguments:
    return (rng.randint(0, 9),)


def _positive(rng: Random) -> Arguments:
    return (rng.randint(1, 60),)


def _two(rng: Random) -> Arguments:
    return rng.randint(1, 40), rng.randint(1, 40)


def _small_two(rng: Random) -> Arguments:
    return rng.randint(0, 6), rng.randint(0, 5)


def _three(rng: Random) -> Arguments:
    return integer(rng), integer(rng), integer(rng)


def _text(rng: Random) -> Arguments:
    return (sentence(rng),)


def _word(rng: Random) -> Arguments:
    return (text_word(rng),)


def _repeats(rng: Random) -> Arguments:
    return ("".join(rng.choice("abc") * rng.randint(1, 4) for _ in range(rng.randint(0, 4))),)


def _text_k(rng: Random) -> Arguments:
    return sentence(rng), rng.randint(1, 6)


def _text_c(rng: Random) -> Arguments:
    text = sentence(rng)
    return text, rng.choice(text or "x") if rng.random() < 0.8 else "z"


def _two_words(rng: Random) -> Arguments:
    first = word(rng)
    other = "".join(rng.sample(first, len(first))) if rng.random() < 0.4 else word(rng)
    return first, other


def _strings(rng: Random) -> Arguments:
    return (text_words(rng),)


def _table(rng: Random) -> Arguments:
    return (numbers_table(rng),)


def _square(rng: Random) -> Arguments:
    return (numbers_table(rng, square=True),)


def _table_k(rng: Random) -> Arguments:
    return numbers_table(rng), rng.randint(1, 6)


def _dict(rng: Random) -> Arguments:
    return (tallies(rng),)


def _dict_k(rng: Random) -> Arguments:
    return tallies(rng), rng.randint(0, 8)


def _two_dicts(rng: Random) -> Arguments:
    first = tallies(rng)
    return first, tallies(rng) | {key: integer(rng) for key in list(first)[:1]}


def _pairs(rng: Random) -> Arguments:
    return ([(word(rng), integer(rng)) for _ in range(rng.randint(0, 4))],)


def _nonsense_words(rng: Random) -> Arguments:
    return ([nonsense(rng) for _ in range(rng.randint(0, 5))],)


CLASSICS = (
    # -------------------------------------------------------------- numbers
    Classic("Return the factorial of `n`, the product of the numbers from 1 to `n`.", _small, (
        "def f(n):\n acc = 1\n for i in range(1, n + 1):\n  acc *= i\n return acc",
        "def f(n):\n if n <= 1:\n  return 1\n return n * f(n - 1)",
        "def f(n):\n acc = 1\n while n > 1:\n  acc = acc * n\n  n -= 1\n return acc")),
    Classic("Return the sum of the whole numbers from 1 to `n`.", _n, (
        "def f(n):\n acc = 0\n for i in range(1, n + 1):\n  acc += i\n return acc",
        "def f(n):\n return n * (n + 1) // 2",
        "def f(n):\n return sum(range(n + 1))",
        "def f(n):\n acc = 0\n while n > 0:\n  acc += n\n  n -= 1\n return acc")),
    Classic("Return the sum of the multiples of K below `n`.", _n, (
        "def f(n):\n acc = 0\n for i in range(n):\n  if i % K == 0:\n   acc += i\n return acc",
        "def f(n):\n return sum(range(0, n, K))",
        "def f(n):\n acc = 0\n i = K\n while i < n:\n  acc += i\n  i += K\n return acc")),
    Classic("Return the number at place `n` of the Fibonacci numbers 0, 1, 1, 2, 3, 5, ...",
            _small, (
        "def f(n):\n left, right = (0, 1)\n for i in range(n):\n"
        "  left, right = (right, left + right)\n return left",
        "def f(n):\n if n < 2:\n  return n\n return f(n - 1) + f(n - 2)",
        "def f(n):\n xs = [0, 1]\n while len(xs) <= n:\n  xs.append(xs[-1] + xs[-2])\n"
        " return xs[n]")),
    Classic("Return the list of the first `n` Fibonacci numbers, beginning with 0 and 1.", _small, (
        "def f(n):\n acc = []\n left = 0\n right = 1\n while len(acc) < n:\n  acc.append(left)\n"
        "  left, right = (right, left + right)\n return acc",
        "def f(n):\n acc = [0, 1]\n for i in range(2, n):\n  acc.append(acc[i - 1] + acc[i - 2])\n"
        " return acc[:n]")),
    Classic("Return True if `n` is a prime number, else False.", _n, (
        "def f(n):\n if n < 2:\n  return False\n for i in range(2, n):\n  if n % i == 0:\n"
        "   return False\n return True",
        "def f(n):\n if n < 2:\n  return False\n i = 2\n while i * i <= n:\n  if n % i == 0:\n"
        "   return False\n  i += 1\n return True",
        "def f(n):\n return n > 1 and all((n % i != 0 for i in range(2, n)))")),
    Classic("Return all prime numbers below `n`, in increasing order.", _positive, (
        "def f(n):\n acc = []\n for x in range(2, n):\n  found = True\n  for i in range(2, x):\n"
        "   if x % i == 0:\n    found = False\n  if found:\n   acc.append(x)\n return acc",
        "def f(n):\n acc = []\n for x in range(2, n):\n  if all((x % i for i in acc)):\n"
        "   acc.append(x)\n return acc")),
    Classic("Return the greatest common divisor of `n` and `m`.", _two, (
        "def f(n, m):\n while m:\n  n, m = (m, n % m)\n return n",
        "def f(n, m):\n if m == 0:\n  return n\n return f(m, n % m)",
        "def f(n, m):\n best = 1\n for i in range(1, min(n, m) + 1):\n"
        "  if n % i == 0 and m % i == 0:\n   best = i\n return best")),
    Classic("Return the smallest number that both `n` and `m` divide.", _two, (
        "def f(n, m):\n acc = n\n while acc % m != 0:\n  acc += n\n return acc",
        "def f(n, m):\n i = max(n, m)\n while i % n != 0 or i % m != 0:\n  i += 1\n return i")),
    Classic("Return how many decimal digits the number `n` has; 0 has one.", _n, (
        "def f(n):\n return len(str(n))",
        "def f(n):\n num = 1\n while n >= 10:\n  n = n // 10\n  num += 1\n return num")),
    Classic("Return the product of the decimal digits of `n`.", _n, (
        "def f(n):\n acc = 1\n for c in str(n):\n  acc *= int(c)\n return acc",
        "def f(n):\n if n == 0:\n  return 0\n acc = 1\n while n > 0:\n  acc *= n % 10\n"
        "  n //= 10\n return acc")),
    Classic("Return the number whose decimal digits are those of `n`, read backwards.", _n, (
        "def f(n):\n return int(str(n)[::-1])",
        "def f(n):\n acc = 0\n while n > 0:\n  acc = acc * 10 + n % 10\n  n //= 10\n return acc")),
    Classic("Return how often the digit K occurs in the decimal form of `n`.", _n, (
        "def f(n):\n return str(n).count('K')",
        "def f(n):\n num = 0\n while n > 0:\n  if n % 10 == K:\n   num += 1\n  n //= 10\n"
        " return num",
        "def f(n):\n num = 0\n for c in str(n):\n  if c == 'K':\n   num += 1\n return num")),
    Classic("Return how many steps `n` takes to reach 1, when an even number is halved and an odd "
            "number is tripled and increased by 1.", _positive, (
        "def f(n):\n num = 0\n while n != 1:\n  if n % 2 == 0:\n   n = n // 2\n  else:\n"
        "   n = 3 * n + 1\n  num += 1\n return num",
        "def f(n):\n if n == 1:\n  return 0\n if n % 2 == 0:\n  return 1 + f(n // 2)\n"
        " return 1 + f(3 * n + 1)")),
    Classic("Return `n` to the power of `m`.", _small_two, (
        "def f(n, m):\n acc = 1\n for i in range(m):\n  acc *= n\n return acc",
        "def f(n, m):\n return n ** m",
        "def f(n, m):\n if m == 0:\n  return 1\n return n * f(n, m - 1)")),
    Classic("Return the product of `n` and `m` without the use of multiplication.", _small_two, (
        "def f(n, m):\n acc = 0\n for i in range(m):\n  acc += n\n return acc",
        "def f(n, m):\n if m == 0:\n  return 0\n return n + f(n, m - 1)")),
    Classic("Return the digits of `n` in base K as a string.", _n, (
        "def f(n):\n if n == 0:\n  return '0'\n acc = ''\n while n > 0:\n"
        "  acc = str(n % K) + acc\n  n //= K\n return acc",
        "def f(n):\n if n < K:\n  return str(n)\n return f(n // K) + str(n % K)")),
    Classic("Return the largest of the three numbers `n`, `m` and `x`.", _three, (
        "def f(n, m, x):\n if n >= m and n >= x:\n  return n\n if m >= x:\n  return m\n return x",
        "def f(n, m, x):\n best = n\n if m > best:\n  best = m\n if x > best:\n  best = x\n"
        " return best",
        "def f(n, m, x):\n return max(n, m, x)")),
    Classic("Return the middle one of the three numbers `n`, `m` and `x` in order of size.",
            _three, (
        "def f(n, m, x):\n return sorted([n, m, x])[1]",
        "def f(n, m, x):\n return n + m + x - max(n, m, x) - min(n, m, x)")),
    Classic("Return 'low' if `n` is below K, 'high' if it is above L, and else 'fine'.", _n, (
        "def f(n):\n if n < K:\n  return 'low'\n elif n > L:\n  return 'high'\n else:\n"
        "  return 'fine'",
        "def f(n):\n acc = 'fine'\n if n < K:\n  acc = 'low'\n if n > L:\n  acc = 'high'\n"
        " return acc")),
    Classic("A ticket costs K for a child below L years and twice as much for others. Return the "
            "price for all ages in `xs`.", lambda rng: (naturals(rng),), (
        "def f(xs):\n acc = 0\n for x in xs:\n  if x < L:\n   acc += K\n  else:\n   acc += 2 * K\n"
        " return acc",
        "def f(xs):\n return sum((K if x < L else 2 * K for x in xs))")),
    Classic("Return the numbers from `n` down to 0 as a list.", _small, (
        "def f(n):\n return list(range(n, -1, -1))",
        "def f(n):\n acc = []\n while n >= 0:\n  acc.append(n)\n  n -= 1\n return acc",
        "def f(n):\n if n < 0:\n  return []\n return [n] + f(n - 1)")),
    Classic("Return the largest whole number whose square is not greater than `n`.", _n, (
        "def f(n):\n i = 0\n while (i + 1) * (i + 1) <= n:\n  i += 1\n return i",
        "def f(n):\n left = 0\n right = n + 1\n while right - left > 1:\n"
        "  m = (left + right) // 2\n  if m * m <= n:\n   left = m\n  else:\n   right = m\n"
        " return left")),
    Classic("Return how many numbers from 1 to `n` divide `n`.", _positive, (
        "def f(n):\n num = 0\n for i in range(1, n + 1):\n  if n % i == 0:\n   num += 1\n"
        " return num",
        "def f(n):\n return len([i for i in range(1, n + 1) if n % i == 0])")),
    # -------------------------------------------------------------- lists
    Classic("Return True if the numbers in `xs` never decrease from one to the next.", _xs, (
        "def f(xs):\n for i in range(len(xs) - 1):\n  if xs[i] > xs[i + 1]:\n   return False\n"
        " return True",
        "def f(xs):\n return xs == sorted(xs)",
        "def f(xs):\n return all((xs[i - 1] <= xs[i] for i in range(1, len(xs))))")),
    Classic("Return a new list with the items of `xs` in reverse order.", _xs, (
        "def f(xs):\n return xs[::-1]",
        "def f(xs):\n acc = []\n for x in xs:\n  acc.insert(0, x)\n return acc",
        "def f(xs):\n acc = []\n for i in range(len(xs) - 1, -1, -1):\n  acc.append(xs[i])\n"
        " return acc",
        "def f(xs):\n if not xs:\n  return []\n return f(xs[1:]) + [xs[0]]")),
    Classic("Return the items of `xs` at even positions; the first position is 0.", _xs, (
        "def f(xs):\n return xs[::2]",
        "def f(xs):\n acc = []\n for i in range(0, len(xs), 2):\n  acc.append(xs[i])\n return acc",
        "def f(xs):\n return [x for i, x in enumerate(xs) if i % 2 == 0]")),
    Classic("Return the position of the first `x` in `xs`, or -1 if there is none.", _xs_x, (
        "def f(xs, x):\n for i in range(len(xs)):\n  if xs[i] == x:\n   return i\n return -1",
        "def f(xs, x):\n if x in xs:\n  return xs.index(x)\n return -1",
        "def f(xs, x):\n i = 0\n while i < len(xs):\n  if xs[i] == x:\n   return i\n  i += 1\n"
        " return -1")),
    Classic("Return all positions in `xs` at which `x` stands.", _xs_x, (
        "def f(xs, x):\n acc = []\n for i in range(len(xs)):\n  if xs[i] == x:\n   acc.append(i)\n"
        " return acc",
        "def f(xs, x):\n return [i for i, y in enumerate(xs) if y == x]")),
    Classic("Return how often `x` occurs in `xs`.", _xs_x, (
        "def f(xs, x):\n num = 0\n for y in xs:\n  if y == x:\n   num += 1\n return num",
        "def f(xs, x):\n return xs.count(x)",
        "def f(xs, x):\n if len(xs) == 0:\n  return 0\n if xs[0] == x:\n  return 1 + f(xs[1:], x)\n"
        " return f(xs[1:], x)")),
    Classic("Return a copy of `xs` without the items equal to `x`.", _xs_x, (
        "def f(xs, x):\n return [y for y in xs if y != x]",
        "def f(xs, x):\n acc = []\n for y in xs:\n  if y != x:\n   acc.append(y)\n return acc")),
    Classic("Return the difference between the largest and the smallest number in `xs`, which is "
            "never empty.", _filled, (
        "def f(xs):\n return max(xs) - min(xs)",
        "def f(xs):\n left = xs[0]\n right = xs[0]\n for x in xs:\n  if x < left:\n   left = x\n"
        "  if x > right:\n   right = x\n return right - left",
        "def f(xs):\n ys = sorted(xs)\n return ys[-1] - ys[0]")),
    Classic("Return the position of the largest number in `xs`, the first of several; `xs` is "
            "never empty.", _filled, (
        "def f(xs):\n best = 0\n for i in range(1, len(xs)):\n  if xs[i] > xs[best]:\n   best = i\n"
        " return best",
        "def f(xs):\n return xs.index(max(xs))")),
    Classic("Return the first `m` items of `xs` followed by 0 for each one that is missing.",
            _xs_k, (
        "def f(xs, m):\n acc = xs[:m]\n while len(acc) < m:\n  acc.append(0)\n return acc",
        "def f(xs, m):\n acc = []\n for i in range(m):\n  if i < len(xs):\n   acc.append(xs[i])\n"
        "  else:\n   acc.append(0)\n return acc")),
    Classic("Return the list of all pieces of `m` neighbours in `xs`.", _xs_k, (
        "def f(xs, m):\n acc = []\n for i in range(len(xs) - m + 1):\n  acc.append(xs[i:i + m])\n"
        " return acc",
        "def f(xs, m):\n return [xs[i:i + m] for i in range(len(xs) - m + 1)]")),
    Classic("Return the largest sum of `m` neighbours in `xs`, or None if `xs` is shorter.",
            _xs_k, (
        "def f(xs, m):\n best = None\n for i in range(len(xs) - m + 1):\n  num = sum(xs[i:i + m])\n"
        "  if best is None or num > best:\n   best = num\n return best",
        "def f(xs, m):\n if len(xs) < m:\n  return None\n"
        " return max([sum(xs[i:i + m]) for i in range(len(xs) - m + 1)])")),
    Classic("Return the length of the longest run of equal neighbours in `xs`.", _xs, (
        "def f(xs):\n best = 0\n run = 0\n for i in range(len(xs)):\n"
        "  if i > 0 and xs[i] == xs[i - 1]:\n   run += 1\n  else:\n   run = 1\n"
        "  best = max(best, run)\n return best",
        "def f(xs):\n best = 0\n for i in range(len(xs)):\n  j = i\n"
        "  while j < len(xs) and xs[j] == xs[i]:\n   j += 1\n  if j - i > best:\n   best = j - i\n"
        " return best")),
    Classic("Return the length of the longest rising run of neighbours in `xs`.", _xs, (
        "def f(xs):\n if not xs:\n  return 0\n best = 1\n run = 1\n for i in range(1, len(xs)):\n"
        "  if xs[i] > xs[i - 1]:\n   run += 1\n  else:\n   run = 1\n  if run > best:\n"
        "   best = run\n return best",
        "def f(xs):\n best = 0\n run = 0\n left = None\n for x in xs:\n"
        "  if left is None or x > left:\n   run += 1\n  else:\n   run = 1\n"
        "  best = max(best, run)\n  left = x\n return best")),
    Classic("Return how many numbers in `xs` are greater than the one just before them.", _xs, (
        "def f(xs):\n num = 0\n for i in range(1, len(xs)):\n  if xs[i] > xs[i - 1]:\n   num += 1\n"
        " return num",
        "def f(xs):\n num = 0\n for left, right in zip(xs, xs[1:]):\n  if right > left:\n"
        "   num += 1\n return num")),
    Classic("Return True if two numbers at different places of `xs` add up to `x`.", _xs_x, (
        "def f(xs, x):\n for i in range(len(xs)):\n  for j in range(i + 1, len(xs)):\n"
        "   if xs[i] + xs[j] == x:\n    return True\n return False",
        "def f(xs, x):\n seen = set()\n for y in xs:\n  if x - y in seen:\n   return True\n"
        "  seen.add(y)\n return False")),
    Classic("Return a new list: the numbers of `xs` that are below `x`, then the others.", _xs_x, (
        "def f(xs, x):\n left = []\n right = []\n for y in xs:\n  if y < x:\n   left.append(y)\n"
        "  else:\n   right.append(y)\n return left + right",
        "def f(xs, x):\n return [y for y in xs if y < x] + [y for y in xs if y >= x]")),
    Classic("Return the numbers of `xs` in increasing order, without the use of sort.", _xs, (
        "def f(xs):\n acc = list(xs)\n for i in range(len(acc)):\n"
        "  for j in range(len(acc) - 1):\n   if acc[j] > acc[j + 1]:\n"
        "    acc[j], acc[j + 1] = (acc[j + 1], acc[j])\n return acc",
        "def f(xs):\n acc = []\n for x in xs:\n  i = 0\n  while i < len(acc) and acc[i] < x:\n"
        "   i += 1\n  acc.insert(i, x)\n return acc",
        "def f(xs):\n ys = list(xs)\n acc = []\n while ys:\n  best = min(ys)\n  ys.remove(best)\n"
        "  acc.append(best)\n return acc")),
    Classic("Return the numbers that stand in both `xs` and `ys`, each once, in increasing order.",
            _xs_ys, (
        "def f(xs, ys):\n acc = []\n for x in xs:\n  if x in ys and x not in acc:\n"
        "   acc.append(x)\n return sorted(acc)",
        "def f(xs, ys):\n return sorted(set(xs) & set(ys))")),
    Classic("Return the items of `xs` that are not in `ys`, in their order.", _xs_ys, (
        "def f(xs, ys):\n return [x for x in xs if x not in ys]",
        "def f(xs, ys):\n acc = []\n for x in xs:\n  if x not in ys:\n   acc.append(x)\n"
        " return acc")),
    Classic("Return True if every item of `xs` is also in `ys`.", _xs_ys, (
        "def f(xs, ys):\n for x in xs:\n  if x not in ys:\n   return False\n return True",
        "def f(xs, ys):\n return all((x in ys for x in xs))")),
    Classic("Return the sum of the products of the numbers at equal places of `xs` and `ys`.",
            _equal_lists, (
        "def f(xs, ys):\n acc = 0\n for i in range(len(xs)):\n  acc += xs[i] * ys[i]\n return acc",
        "def f(xs, ys):\n return sum((x * y for x, y in zip(xs, ys)))")),
    Classic("Return the list of the sums of the numbers at equal places of `xs` and `ys`.",
            _equal_lists, (
        "def f(xs, ys):\n acc = []\n for x, y in zip(xs, ys):\n  acc.append(x + y)\n return acc",
        "def f(xs, ys):\n return [xs[i] + ys[i] for i in range(len(xs))]")),
    Classic("Return the list of the larger numbers at each place of `xs` and `ys`.", _equal_lists, (
        "def f(xs, ys):\n acc = []\n for i in range(len(xs)):\n  if xs[i] > ys[i]:\n"
        "   acc.append(xs[i])\n  else:\n   acc.append(ys[i])\n return acc",
        "def f(xs, ys):\n return [max(x, y) for x, y in zip(xs, ys)]")),
    Classic("Return at how many places `xs` and `ys` differ.", _equal_lists, (
        "def f(xs, ys):\n num = 0\n for i in range(len(xs)):\n  if xs[i] != ys[i]:\n   num += 1\n"
        " return num",
        "def f(xs, ys):\n return sum((1 for x, y in zip(xs, ys) if x != y))")),
    Classic("Return the items of `xs` and `ys` by turns, as long as both have one.", _xs_ys, (
        "def f(xs, ys):\n acc = []\n for x, y in zip(xs, ys):\n  acc.append(x)\n  acc.append(y)\n"
        " return acc",
        "def f(xs, ys):\n acc = []\n for i in range(min(len(xs), len(ys))):\n"
        "  acc += [xs[i], ys[i]]\n return acc")),
    Classic("`xs` and `ys` are sorted. Return one sorted list with all of their numbers.",
            _sorted_lists, (
        "def f(xs, ys):\n acc = []\n i = 0\n j = 0\n while i < len(xs) and j < len(ys):\n"
        "  if xs[i] <= ys[j]:\n   acc.append(xs[i])\n   i += 1\n  else:\n   acc.append(ys[j])\n"
        "   j += 1\n return acc + xs[i:] + ys[j:]",
        "def f(xs, ys):\n return sorted(xs + ys)")),
    Classic("Return the largest number that can be reached so far at each place of `xs`.", _xs, (
        "def f(xs):\n acc = []\n for x in xs:\n  if acc and acc[-1] > x:\n   acc.append(acc[-1])\n"
        "  else:\n   acc.append(x)\n return acc",
        "def f(xs):\n return [max(xs[:i + 1]) for i in range(len(xs))]")),
    Classic("Return a list with 1 for each positive number of `xs`, -1 for each negative one and "
            "0 for each zero.", _xs, (
        "def f(xs):\n acc = []\n for x in xs:\n  if x > 0:\n   acc.append(1)\n  elif x < 0:\n"
        "   acc.append(-1)\n  else:\n   acc.append(0)\n return acc",
        "def f(xs):\n return [(x > 0) - (x < 0) for x in xs]")),
    Classic("`xs` holds what happens to an account, which begins with K. Return how often it is "
            "below zero after a change.", _xs, (
        "def f(xs):\n acc = K\n num = 0\n for x in xs:\n  acc += x\n  if acc < 0:\n   num += 1\n"
        " return num",)),
    Classic("Return how many numbers of `xs` one must take from the front until their sum reaches "
            "`limit`, or -1 if it never does.", lambda rng: (naturals(rng), rng.randint(1, 20)), (
        "def f(xs, limit):\n acc = 0\n for i, x in enumerate(xs):\n  acc += x\n"
        "  if acc >= limit:\n   return i + 1\n return -1",
        "def f(xs, limit):\n acc = 0\n i = 0\n while i < len(xs):\n  acc += xs[i]\n  i += 1\n"
        "  if acc >= limit:\n   return i\n return -1")),
    Classic("Return True if the list `xs` reads the same backwards.", _xs, (
        "def f(xs):\n return xs == xs[::-1]",
        "def f(xs):\n left = 0\n right = len(xs) - 1\n while left < right:\n"
        "  if xs[left] != xs[right]:\n   return False\n  left += 1\n  right -= 1\n return True")),
    Classic("Return the sum of the items of `xs` without the smallest and the largest one; 0 if "
            "there are fewer than three.", _xs, (
        "def f(xs):\n if len(xs) < 3:\n  return 0\n return sum(xs) - max(xs) - min(xs)",
        "def f(xs):\n if len(xs) < 3:\n  return 0\n ys = sorted(xs)\n return sum(ys[1:-1])")),
    # -------------------------------------------------------------- texts
    Classic("Return `text` with its characters in reverse order.", _text, (
        "def f(text):\n return text[::-1]",
        "def f(text):\n acc = ''\n for c in text:\n  acc = c + acc\n return acc",
        "def f(text):\n if text == '':\n  return ''\n return f(text[1:]) + text[0]")),
    Classic("Return True if `text` reads the same in both directions.", _word, (
        "def f(text):\n return text == text[::-1]",
        "def f(text):\n for i in range(len(text) // 2):\n"
        "  if text[i] != text[len(text) - 1 - i]:\n   return False\n return True",
        "def f(text):\n if len(text) < 2:\n  return True\n if text[0] != text[-1]:\n"
        "  return False\n return f(text[1:-1])")),
    Classic("Return how often the character `c` occurs in `text`.", _text_c, (
        "def f(text, c):\n num = 0\n for x in text:\n  if x == c:\n   num += 1\n return num",
        "def f(text, c):\n return text.count(c)",
        "def f(text, c):\n num = 0\n i = 0\n while i < len(text):\n  if text[i] == c:\n"
        "   num += 1\n  i += 1\n return num")),
    Classic("Return `text` without the character `c`.", _text_c, (
        "def f(text, c):\n acc = ''\n for x in text:\n  if x != c:\n   acc += x\n return acc",
        "def f(text, c):\n return text.replace(c, '')",
        "def f(text, c):\n return ''.join([x for x in text if x != c])")),
    Classic("Return the position of the last `c` in `text`, or -1 if it is missing.", _text_c, (
        "def f(text, c):\n best = -1\n for i in range(len(text)):\n  if text[i] == c:\n"
        "   best = i\n return best",
        "def f(text, c):\n return text.rfind(c)",
        "def f(text, c):\n i = len(text) - 1\n while i >= 0 and text[i] != c:\n  i -= 1\n"
        " return i")),
    Classic("Return `text` with each capital made small and each small letter made a capital.",
            _text, (
        "def f(text):\n acc = ''\n for c in text:\n  if c.isupper():\n   acc += c.lower()\n"
        "  else:\n   acc += c.upper()\n return acc",
        "def f(text):\n return text.swapcase()")),
    Classic("Return `text` with every second character, from the first on, as a capital.", _text, (
        "def f(text):\n acc = ''\n for i, c in enumerate(text):\n  if i % 2 == 0:\n"
        "   acc += c.upper()\n  else:\n   acc += c\n return acc",
        "def f(text):\n acc = []\n for i in range(len(text)):\n  c = text[i]\n  if i % 2 == 0:\n"
        "   c = c.upper()\n  acc.append(c)\n return ''.join(acc)")),
    Classic("Return `text` with the marks `-` between its characters.", _word, (
        "def f(text):\n return '-'.join(text)",
        "def f(text):\n acc = ''\n for i in range(len(text)):\n  if i > 0:\n   acc += '-'\n"
        "  acc += text[i]\n return acc")),
    Classic("Return `text` cut after `m` characters, with '...' behind if something was cut.",
            _text_k, (
        "def f(text, m):\n if len(text) <= m:\n  return text\n return text[:m] + '...'",
        "def f(text, m):\n acc = text[:m]\n if len(text) > m:\n  acc += '...'\n return acc")),
    Classic("Return the pieces of `text` with `m` characters each; the last may be shorter.",
            _text_k, (
        "def f(text, m):\n acc = []\n for i in range(0, len(text), m):\n"
        "  acc.append(text[i:i + m])\n return acc",
        "def f(text, m):\n acc = []\n while text:\n  acc.append(text[:m])\n  text = text[m:]\n"
        " return acc")),
    Classic("Return True if `text` and `other` consist of the same letters in any order.",
            _two_words, (
        "def f(text, other):\n return sorted(text) == sorted(other)",
        "def f(text, other):\n if len(text) != len(other):\n  return False\n for c in text:\n"
        "  if text.count(c) != other.count(c):\n   return False\n return True")),
    Classic("Return how many letters at the front `text` and `other` have in common.", _two_words, (
        "def f(text, other):\n num = 0\n for left, right in zip(text, other):\n"
        "  if left != right:\n   break\n  num += 1\n return num",
        "def f(text, other):\n i = 0\n while i < len(text) and i < len(other):\n"
        "  if text[i] != other[i]:\n   return i\n  i += 1\n return i")),
    Classic("Return the letters of `text` that are also in `other`, in their order.", _two_words, (
        "def f(text, other):\n acc = ''\n for c in text:\n  if c in other:\n   acc += c\n"
        " return acc",
        "def f(text, other):\n return ''.join([c for c in text if c in other])")),
    Classic("Return the string with each letter and how often it occurs in its run, such as "
            "'a3b1' for 'aaab'.", _repeats, (
        "def f(text):\n acc = ''\n i = 0\n while i < len(text):\n  run = 1\n"
        "  while i + run < len(text) and text[i + run] == text[i]:\n   run += 1\n"
        "  acc += text[i] + str(run)\n  i += run\n return acc",)),
    Classic("Return how many words, parted by blanks, `text` has.", _text, (
        "def f(text):\n return len(text.split())",
        "def f(text):\n num = 0\n for w in text.split(' '):\n  if w != '':\n   num += 1\n"
        " return num")),
    Classic("Return the first letters of the words of `text` as capitals, in one string.", _text, (
        "def f(text):\n acc = ''\n for w in text.split():\n  acc += w[0].upper()\n return acc",
        "def f(text):\n return ''.join([w[0] for w in text.split()]).upper()")),
    Classic("Return `text` with each word written backwards, words staying in their places.",
            _text, (
        "def f(text):\n acc = []\n for w in text.split(' '):\n  acc.append(w[::-1])\n"
        " return ' '.join(acc)",
        "def f(text):\n return ' '.join([w[::-1] for w in text.split(' ')])")),
    Classic("Return the sum of the digits that stand in `text`.", _text, (
        "def f(text):\n acc = 0\n for c in text:\n  if c.isdigit():\n   acc += int(c)\n return acc",
        "def f(text):\n return sum((int(c) for c in text if c.isdigit()))")),
    Classic("Return the set of letters of `text` as a sorted string without doubles.", _word, (
        "def f(text):\n return ''.join(sorted(set(text)))",
        "def f(text):\n acc = ''\n for c in sorted(text):\n  if c not in acc:\n   acc += c\n"
        " return acc")),
    # -------------------------------------------------------------- lists of words
    Classic("Return the words of `words` joined by ', ', with ' and ' before the last one.",
            _nonsense_words, (
        "def f(words):\n if len(words) < 2:\n  return ''.join(words)\n"
        " return ', '.join(words[:-1]) + ' and ' + words[-1]",
        "def f(words):\n acc = ''\n for i in range(len(words)):\n  if i > 0:\n"
        "   if i == len(words) - 1:\n    acc += ' and '\n   else:\n    acc += ', '\n"
        "  acc += words[i]\n return acc")),
    Classic("Return a dictionary from each length to the list of the words of `words` that have "
            "it.", _strings, (
        "def f(words):\n acc = {}\n for w in words:\n  if len(w) not in acc:\n   acc[len(w)] = []\n"
        "  acc[len(w)].append(w)\n return acc",
        "def f(words):\n acc = {}\n for w in words:\n  acc.setdefault(len(w), []).append(w)\n"
        " return acc")),
    Classic("Return a dictionary from the first letter to the number of words in `words` that "
            "begin with it.", _nonsense_words, (
        "def f(words):\n acc = {}\n for w in words:\n  c = w[0]\n  if c in acc:\n   acc[c] += 1\n"
        "  else:\n   acc[c] = 1\n return acc",
        "def f(words):\n acc = {}\n for w in words:\n  acc[w[0]] = acc.get(w[0], 0) + 1\n"
        " return acc")),
    Classic("Return the words of `words` sorted by length, words of equal length by the alphabet.",
            _nonsense_words, (
        "def f(words):\n return sorted(words, key=lambda w: (len(w), w))",
        "def f(words):\n acc = sorted(words)\n acc.sort(key=len)\n return acc")),
    Classic("Return the length of the shortest word in `words`, or 0 if there is none.", _strings, (
        "def f(words):\n if not words:\n  return 0\n return min([len(w) for w in words])",
        "def f(words):\n best = None\n for w in words:\n  if best is None or len(w) < best:\n"
        "   best = len(w)\n return 0 if best is None else best")),
    Classic("Return a list of lines: the number of the line, from 1, then ': ' and the word.",
            _strings, (
        "def f(words):\n acc = []\n for i, w in enumerate(words, 1):\n"
        "  acc.append(str(i) + ': ' + w)\n return acc",
        "def f(words):\n acc = []\n for i in range(len(words)):\n"
        "  acc.append(f'{i + 1}: {words[i]}')\n return acc")),
    # -------------------------------------------------------------- tables
    Classic("Return the list of the sums of the rows of `table`.", _table, (
        "def f(table):\n acc = []\n for row in table:\n  acc.append(sum(row))\n return acc",
        "def f(table):\n return [sum(row) for row in table]",
        "def f(table):\n acc = []\n for row in table:\n  num = 0\n  for x in row:\n   num += x\n"
        "  acc.append(num)\n return acc")),
    Classic("Return the list of the sums of the columns of `table`.", _table, (
        "def f(table):\n acc = [0] * len(table[0])\n for row in table:\n"
        "  for i in range(len(row)):\n   acc[i] += row[i]\n return acc",
        "def f(table):\n acc = []\n for j in range(len(table[0])):\n  num = 0\n"
        "  for row in table:\n   num += row[j]\n  acc.append(num)\n return acc",
        "def f(table):\n return [sum(row) for row in zip(*table)]")),
    Classic("Return the sum of all numbers in `table`.", _table, (
        "def f(table):\n acc = 0\n for row in table:\n  for x in row:\n   acc += x\n return acc",
        "def f(table):\n return sum((sum(row) for row in table))",
        "def f(table):\n acc = 0\n for i in range(len(table)):\n"
        "  for j in range(len(table[i])):\n   acc += table[i][j]\n return acc")),
    Classic("Return how many numbers in `table` are greater than `limit`.", _table_k, (
        "def f(table, limit):\n num = 0\n for row in table:\n  for x in row:\n   if x > limit:\n"
        "    num += 1\n return num",
        "def f(table, limit):\n return sum((1 for row in table for x in row if x > limit))")),
    Classic("Return a table like `table` with each number multiplied by `m`.", _table_k, (
        "def f(table, m):\n acc = []\n for row in table:\n  ys = []\n  for x in row:\n"
        "   ys.append(x * m)\n  acc.append(ys)\n return acc",
        "def f(table, m):\n return [[x * m for x in row] for row in table]")),
    Classic("Return the largest number of each row of `table`.", _table, (
        "def f(table):\n return [max(row) for row in table]",
        "def f(table):\n acc = []\n for row in table:\n  best = row[0]\n  for x in row:\n"
        "   if x > best:\n    best = x\n  acc.append(best)\n return acc")),
    Classic("Return the numbers on the diagonal of the square `table`, from the top left.",
            _square, (
        "def f(table):\n acc = []\n for i in range(len(table)):\n  acc.append(table[i][i])\n"
        " return acc",
        "def f(table):\n return [row[i] for i, row in enumerate(table)]")),
    Classic("Return True if the square `table` equals its mirror image along the diagonal.",
            _square, (
        "def f(table):\n for i in range(len(table)):\n  for j in range(i):\n"
        "   if table[i][j] != table[j][i]:\n    return False\n return True",
        "def f(table):\n return all((table[i][j] == table[j][i] for i in range(len(table)) "
        "for j in range(len(table))))")),
    Classic("Return `table` with each row reversed.", _table, (
        "def f(table):\n return [row[::-1] for row in table]",
        "def f(table):\n acc = []\n for row in table:\n  acc.append(list(reversed(row)))\n"
        " return acc")),
    Classic("Return the square table of size `n` with 1 on the diagonal and 0 elsewhere.",
            lambda rng: (rng.randint(0, 4),), (
        "def f(n):\n acc = []\n for i in range(n):\n  row = [0] * n\n  row[i] = 1\n"
        "  acc.append(row)\n return acc",
        "def f(n):\n return [[1 if i == j else 0 for j in range(n)] for i in range(n)]")),
    Classic("Return the multiplication table of `n`: row i, column j hold i * j, counted from 1.",
            lambda rng: (rng.randint(0, 4),), (
        "def f(n):\n acc = []\n for i in range(1, n + 1):\n  row = []\n"
        "  for j in range(1, n + 1):\n   row.append(i * j)\n  acc.append(row)\n return acc",
        "def f(n):\n return [[i * j for j in range(1, n + 1)] for i in range(1, n + 1)]")),
    Classic("Return the pair of row and column of the first `x` in `table`, or None.",
            lambda rng: (numbers_table(rng), integer(rng)), (
        "def f(table, x):\n for i in range(len(table)):\n  for j in range(len(table[i])):\n"
        "   if table[i][j] == x:\n    return (i, j)\n return None",
        "def f(table, x):\n for i, row in enumerate(table):\n  if x in row:\n"
        "   return (i, row.index(x))\n return None")),
    # -------------------------------------------------------------- dictionaries
    Classic("Return the sum of all values of the dictionary `d`.", _dict, (
        "def f(d):\n acc = 0\n for key in d:\n  acc += d[key]\n return acc",
        "def f(d):\n return sum(d.values())",
        "def f(d):\n acc = 0\n for x in d.values():\n  acc = acc + x\n return acc")),
    Classic("Return the sorted keys of `d` whose value is greater than `limit`.", _dict_k, (
        "def f(d, limit):\n acc = []\n for key, x in d.items():\n  if x > limit:\n"
        "   acc.append(key)\n return sorted(acc)",
        "def f(d, limit):\n return sorted([key for key in d if d[key] > limit])")),
    Classic("Return the part of `d` whose values are at most `limit`.", _dict_k, (
        "def f(d, limit):\n acc = {}\n for key in d:\n  if d[key] <= limit:\n   acc[key] = d[key]\n"
        " return acc",
        "def f(d, limit):\n return {key: x for key, x in d.items() if x <= limit}")),
    Classic("Return the key of `d` with the largest value, the first of several, or None if `d` "
            "is empty.", _dict, (
        "def f(d):\n best = None\n for key in d:\n  if best is None or d[key] > d[best]:\n"
        "   best = key\n return best",
        "def f(d):\n if not d:\n  return None\n return max(d, key=d.get)")),
    Classic("Return a dictionary with the keys of both `d` and `other`; the values of a key that "
            "is in both are added.", _two_dicts, (
        "def f(d, other):\n acc = dict(d)\n for key, x in other.items():\n"
        "  acc[key] = acc.get(key, 0) + x\n return acc",
        "def f(d, other):\n acc = {}\n for key in d:\n  acc[key] = d[key]\n for key in other:\n"
        "  if key in acc:\n   acc[key] += other[key]\n  else:\n   acc[key] = other[key]\n"
        " return acc")),
    Classic("Return the sorted keys that `d` and `other` share.", _two_dicts, (
        "def f(d, other):\n acc = []\n for key in d:\n  if key in other:\n   acc.append(key)\n"
        " return sorted(acc)",
        "def f(d, other):\n return sorted([key for key in d if key in other])")),
    Classic("`xs` is a list of pairs of a name and a number. Return a dictionary with the sum of "
            "the numbers of each name.", _pairs, (
        "def f(xs):\n acc = {}\n for key, x in xs:\n  if key not in acc:\n   acc[key] = 0\n"
        "  acc[key] += x\n return acc",
        "def f(xs):\n acc = {}\n for key, x in xs:\n"
        "  acc[key] = acc.get(key, 0) + x\n return acc")),
    Classic("Return the value of `d` for the key `text`, or K if there is none.",
            lambda rng: (d := tallies(rng), rng.choice([*d, word(rng)])), (
        "def f(d, text):\n if text in d:\n  return d[text]\n return K",
        "def f(d, text):\n return d.get(text, K)")),
    Classic("Return the pairs of key and value of `d` as a list, sorted by value, then by key.",
            _dict, (
        "def f(d):\n return sorted(d.items(), key=lambda row: (row[1], row[0]))",)),
)  # fmt: skip
