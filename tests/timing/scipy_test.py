#!/usr/bin/python3
"""Intervals, rank tests and quantiles against scipy, numpy, and brute force where they have none.

    scipy_test.py statistics_probe
"""
import itertools
import json
import math
import subprocess
import sys

try:
    import numpy
    import scipy
    from scipy import stats
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

QUANTILES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]


def every_deal(a, b):
    """The two-sided probability of the rank sum over all ways to deal out the ranks."""
    ranks = stats.rankdata(numpy.concatenate([a, b]))
    sums = numpy.array([sum(chosen) for chosen in itertools.combinations(ranks, len(a))])
    seen = ranks[:len(a)].sum()
    return min(1, 2 * min((sums <= seen).mean(), (sums >= seen).mean()))


def mann_whitney(a, b):
    ties = len(set(a) | set(b)) < len(a) + len(b)
    if len(a) > 50 or len(b) > 50:
        return [stats.mannwhitneyu(a, b, method="asymptotic").pvalue]
    return [every_deal(a, b) if ties else stats.mannwhitneyu(a, b, method="exact").pvalue]


def hodges_lehmann(a, b):
    """All ratios in a list; the interval by asking scipy's test how it judges between them."""
    logs = numpy.sort(numpy.log(numpy.divide.outer(b, a)).ravel())
    tested = [numpy.median(logs)]
    size = (len(a), len(b))
    if max(size) > 50:
        deviation = math.sqrt(size[0] * size[1] * (sum(size) + 1) / 12)
        rank = math.floor(len(logs) / 2 - stats.norm.ppf(0.975) * deviation)
    else:
        p = [stats.mannwhitneyu(a, numpy.exp(numpy.log(b) - shift), method="exact").pvalue
             for shift in (logs[:-1] + logs[1:]) / 2]
        held = [i for i in range(len(p)) if p[i] > 0.05]
        # Where even samples that do not meet are not told apart, there is no interval.
        least = 2 / math.comb(sum(size), size[0])
        rank = 0 if least > 0.05 else held[0] + 1
    if rank:
        tested += [logs[rank - 1], logs[-rank]]
    return list(numpy.exp(tested))


def median_interval(a):
    n = len(a)
    ordered = numpy.sort(a)
    ranks = [k for k in range(1, n // 2 + 1) if 2 * stats.binom.cdf(k - 1, n, 0.5) <= 0.05]
    return [numpy.median(a)] + ([ordered[ranks[-1] - 1], ordered[n - ranks[-1]]] if ranks else [])


def trend(a):
    n = len(a)
    p = stats.kendalltau(range(n), a, method="exact" if len(set(a)) == n else "asymptotic").pvalue
    return [float(n >= 5 and p < 0.1)]


def holm(p):
    """By its definition: a hypothesis is rejected at a level if all with smaller p are."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted = [0.0] * len(p)
    for place, i in enumerate(order):
        adjusted[i] = min(1, max((len(p) - k) * p[order[k]] for k in range(place + 1)))
    return adjusted


def requests():
    generator = numpy.random.default_rng(1)

    def times(n):
        return generator.lognormal(3, 0.2, n)

    for m, n in [(1, 1), (3, 3), (4, 4), (5, 7), (10, 10), (9, 12), (20, 31), (50, 50)]:
        for scale in (1, 1.1, 1.5):
            yield "mann_whitney", times(m), scale * times(n)
    for m, n in [(51, 51), (3, 60), (200, 150), (3000, 2000)]:
        for scale in (1, 1.02, 1.1):
            yield "mann_whitney", times(m), scale * times(n)
            yield "mann_whitney", numpy.round(times(m)), numpy.round(scale * times(n))
    for m, n in [(2, 3), (4, 4), (5, 8), (8, 8)]:
        for levels in (2, 3, 6):
            for _ in range(5):
                yield "mann_whitney", generator.integers(0, levels, m), \
                    generator.integers(0, levels, n)
    for n in (2, 5, 30, 1000):
        yield "spearman", times(n), times(n)
        yield "spearman", numpy.arange(n), numpy.round(times(n) + numpy.arange(n))
    for n in (1, 2, 3, 10, 101, 4096):
        yield "quantiles", times(n), QUANTILES
    for n in (1, 5, 6, 7, 10, 33, 500, 1500, 20000):
        yield "median_interval", times(n)
    for m, n in [(1, 1), (3, 3), (3, 5), (4, 4), (5, 6), (10, 10), (9, 13), (18, 20)]:
        yield "hodges_lehmann", times(m), times(n)
    for m, n in [(51, 60), (300, 200)]:
        yield "hodges_lehmann", times(m), times(n)
        yield "hodges_lehmann", numpy.round(times(m)), numpy.round(times(n))
    for n in (1, 4, 20):
        yield "holm", generator.uniform(0, 0.2, n) ** 2
    for n in (4, 5, 6, 10, 40):
        for _ in range(20):
            yield "trend", generator.normal(0, 1, n) + 0.1 * numpy.arange(n)


EXPECTED = {
    "mann_whitney": mann_whitney,
    "spearman": lambda a, b: [stats.spearmanr(a, b)[0]],
    "quantiles": lambda a, q: list(numpy.quantile(a, q)),
    "median_interval": median_interval,
    "hodges_lehmann": hodges_lehmann,
    "holm": holm,
    "trend": trend,
}


def main():
    asked = [(what, *[numpy.asarray(sample, dtype=float) for sample in samples])
             for what, *samples in requests()]
    lines = "".join(json.dumps([what, *[list(s) for s in samples]]) + "\n"
                    for what, *samples in asked)
    answers = subprocess.run([sys.argv[1]], input=lines, stdout=subprocess.PIPE, check=True,
                             universal_newlines=True).stdout.splitlines()
    assert len(answers) == len(asked)
    wrong = 0
    for (what, *samples), line in zip(asked, answers):
        found, expected = json.loads(line), EXPECTED[what](*samples)
        if len(found) != len(expected) or not numpy.allclose(found, expected, 1e-9, 1e-14):
            wrong += 1
            print(f"{what} of {' and '.join(str(len(s)) for s in samples)} values: "
                  f"{found}, expected {expected}")
    print(f"{len(asked)} comparisons with scipy {scipy.__version__}: {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
