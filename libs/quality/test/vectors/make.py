"""Writes the golden vectors beside this file from random series: python make.py. Needs ioos_qc 3.0.0 with gsw. See README.md."""

import json, math, os, random, warnings

import ioos_qc
import numpy as np
from ioos_qc import qartod

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
BASE = 1_790_000_000_000


def series(rng, gaps=True, whole_seconds=None):
    """Ascending instants in milliseconds and values in quarters: thresholds in quarters are then met exactly."""
    n = rng.choice([1, 2, 3, 4, 5, 8, 13, 20, 28])
    step = rng.choice([1_000, 60_000, 300_000, 300_500])
    irregular = rng.random() < 0.5
    at, t = [], BASE + rng.randrange(0, 400) * 86_400_000 + rng.randrange(0, 86_400_000)
    for _ in range(n):
        at.append(t)
        t += step if not irregular else rng.choice([step, step, step, step * 2, step * 5, step + 700, step // 2 + 1, 0 if rng.random() < 0.1 else step])
    level, values = rng.randrange(-8, 40), []
    for _ in range(n):
        kind = rng.random()
        if kind < 0.45:
            level += rng.randrange(-3, 4)
        values.append((level + (rng.randrange(-30, 30) if kind > 0.9 else 0)) / 4)
    if gaps and rng.random() < 0.6:
        values = [None if rng.random() < 0.15 else v for v in values]
    return at, values


def nan(values):
    return np.array([math.nan if v is None else v for v in values], dtype=float)


def when(at):
    return np.array(at, dtype="datetime64[ms]")


def quarters(rng, most):
    return rng.randrange(0, most * 4) / 4


def gross(rng):
    at, v = series(rng)
    fail = sorted([rng.randrange(-6, 4), rng.randrange(5, 12)])
    args = {"fail": fail}
    if rng.random() < 0.7:
        args["suspect"] = sorted([rng.randrange(fail[0], fail[1] + 1), rng.randrange(fail[0], fail[1] + 1)])
    return args, at, v, lambda: qartod.gross_range_test(nan(v), tuple(fail), tuple(args["suspect"]) if "suspect" in args else None)


TOPS = {"month": (1, 12), "dayofyear": (1, 366), "dayofweek": (0, 6), "quarter": (1, 4), "week": (1, 53), "year": (2026, 2028)}


def climatology(rng):
    period = rng.choice([None, None, "week", "week", "month", "month", "dayofyear", "dayofweek", "quarter", "year"])
    # Where the calendar part is not the week, ioos_qc flags a missing value by accident 1 (see README.md).
    at, v = series(rng, gaps=period in (None, "week"))
    at = [at[0] + (t - at[0]) * rng.choice([1, 2_000]) for t in at] if len(set(at)) == len(at) else at
    at.sort()
    seasons = []
    for _ in range(rng.randrange(1, 4)):
        low, high = TOPS[period] if period else (at[0], at[-1] + 1_000)
        season = {"time": sorted([rng.randint(low, high), rng.randint(low, high)]), "span": sorted([rng.randrange(-4, 6), rng.randrange(-4, 10)])}
        if period:
            season["period"] = period
        if rng.random() < 0.5:
            season["fail"] = [season["span"][0] - rng.randrange(0, 3), season["span"][1] + rng.randrange(0, 3)]
        seasons.append(season)
    config = qartod.ClimatologyConfig()
    for s in seasons:
        span = s["time"] if period else [np.datetime64(t, "ms") for t in s["time"]]
        config.add(tspan=tuple(span), vspan=tuple(s["span"]), fspan=tuple(s["fail"]) if "fail" in s else None, period=period)
    return {"seasons": seasons}, at, v, lambda: qartod.climatology_test(config, nan(v), when(at), nan([None] * len(v)))


def spike(rng):
    at, v = series(rng)
    args = {"method": rng.choice(["average", "differential"])}
    if rng.random() < 0.9:
        args["suspect"] = quarters(rng, 3)
    if rng.random() < 0.8:
        args["fail"] = quarters(rng, 5)
    return args, at, v, lambda: qartod.spike_test(nan(v), args.get("suspect"), args.get("fail"), args["method"])


def rate(rng):
    at, v = series(rng)
    step = rng.choice([1, 60, 300])
    args = {"suspect": rng.choice([0.25, 0.5, 1, 2]) / step}
    if rng.random() < 0.5:
        args["fail"] = rng.choice([0.5, 1, 2, 4]) / step
    return args, at, v, lambda: qartod.rate_of_change_test(nan(v), when(at), args["suspect"], args.get("fail"))


def flat(rng):
    at, v = series(rng)
    if len(at) > 2 and np.median(np.diff(at)) < 1_000:
        return flat(rng)
    step = max(1, int(np.median(np.diff(at)) // 1_000)) if len(at) > 1 else 300
    count = rng.choice([0, 1, 2, 3, 4, 6])
    args = {
        "suspectSeconds": count * step + rng.choice([0, 0, step // 2]),
        "failSeconds": (count + rng.choice([-1, 0, 1, 2, 3])) * step if count else step,
        "tolerance": rng.choice([0, 0.01, 0.25, 0.5, 0.75, 1]),
    }
    args["failSeconds"] = max(0, args["failSeconds"])
    return args, at, v, lambda: qartod.flat_line_test(nan(v), when(at), args["suspectSeconds"], args["failSeconds"], args["tolerance"])


def attenuated(rng):
    at, v = series(rng)
    if len(at) > 2 and np.median(np.diff(at)) < 1_000:
        return attenuated(rng)
    step = max(1, int(np.median(np.diff(at)) // 1_000)) if len(at) > 1 else 300
    kind = rng.choice(["std", "range"])
    args = {"type": kind}
    # Deviations in quarters could be equal to a threshold in quarters but for rounding; ranges are exact.
    args["suspect"] = rng.choice([0.1337, 0.3337, 0.7337, 1.337]) if kind == "std" else quarters(rng, 3)
    args["fail"] = rng.choice([0.0337, 0.1337, 0.2337, 0.5337]) if kind == "std" else quarters(rng, 2)
    if rng.random() < 0.8:
        args["periodSeconds"] = step * rng.choice([1, 2, 3, 5, 8])
        extra = rng.random()
        if extra < 0.35:
            args["minPoints"] = rng.choice([0, 1, 2, 3, 5])
        elif extra < 0.7 and len(at) > 1:
            args["minPeriodSeconds"] = step * rng.choice([1, 2, 3]) + rng.choice([0, step // 2])
    call = dict(test_period=args.get("periodSeconds"), min_obs=args.get("minPoints"), min_period=args.get("minPeriodSeconds"))
    return args, at, v, lambda: qartod.attenuated_signal_test(nan(v), when(at), args["suspect"], args["fail"], check_type=kind, **call)


def location(rng):
    n = rng.choice([1, 2, 5, 9])
    method = rng.choice(["wgs84", "haversine"])
    args = {"method": method}
    if rng.random() < 0.8:
        args["rangeMax"] = rng.choice([100, 5_000, 60_000, 1_000_000])
    lon, lat = [], []
    for _ in range(n):
        wide = rng.random() < 0.2
        lon.append(round(rng.uniform(-185, 185), 3) if wide else round(105 + rng.uniform(-0.4, 0.4), 5))
        lat.append(round(rng.uniform(-91, 91), 3) if wide else round(10.4 + rng.uniform(-0.4, 0.4), 5))
    # With a missing degree its haversine distance is by accident suspect (see README.md).
    if method == "wgs84" or "rangeMax" not in args:
        lon = [None if rng.random() < 0.1 else x for x in lon]
        lat = [None if rng.random() < 0.1 else x for x in lat]
    return args, lon, lat, lambda: qartod.location_test(nan(lon), nan(lat), args.get("rangeMax"), method)


def text(numbers):
    """Numbers in a row, nothing where one is missing: kept compact also by who formats the file."""
    return " ".join("_" if x is None else format(x, ".9g") if isinstance(x, float) else str(x) for x in numbers)


def steps(at):
    return [at[0]] + [b - a for a, b in zip(at, at[1:])]


def write(name, make, count):
    rng = random.Random(name)
    cases = []
    for _ in range(count):
        args, at, v, run = make(rng)
        flags = "".join(str(int(f)) for f in np.ma.getdata(run()))
        cases.append([args, text(at if name == "location" else steps(at)), text(v), flags])
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    with open(os.path.join(HERE, f"{name}.json"), "w", newline="\n") as file:
        file.write(f'{{"ioos_qc":"{ioos_qc.__version__}","cases":[\n{lines}\n]}}\n')


write("gross-range", gross, 200)
write("climatology", climatology, 250)
write("spike", spike, 250)
write("rate-of-change", rate, 250)
write("flat-line", flat, 300)
write("attenuated-signal", attenuated, 350)
write("location", location, 150)
rng = random.Random("compare")
compared = []
for _ in range(60):
    n = rng.randrange(1, 12)
    vectors = [[rng.choice([1, 2, 3, 4, 9]) for _ in range(n)] for _ in range(rng.randrange(1, 5))]
    compared.append([["".join(map(str, v)) for v in vectors], "".join(str(f) for f in qartod.qartod_compare([np.array(v) for v in vectors]))])
with open(os.path.join(HERE, "compare.json"), "w", newline="\n") as file:
    file.write(json.dumps({"ioos_qc": ioos_qc.__version__, "cases": compared}, separators=(",", ":")) + "\n")
