"""Fuzz the readers of bytes with cargo-fuzz, which needs nightly Rust and is installed on first use."""

from __future__ import annotations

import shutil

from tools import ROOT, BuildError, run, say

FUZZ = ROOT / "fuzz"
DATA = ROOT / "tests" / "data"
TARGETS = {
    "model": [ROOT / "tests" / "vectors" / "neural" / "model_v1.rsm"],
    "checkpoint": [],
    "options": [],
    "data": [DATA / "iris.csv", DATA / "cancer1.dt"],
}
OPTIONS = (
    '{"hidden":[3,2],"activation":["tanh","elliott"],"steepness":[1,0.5,1],"gl":5,"up":3}',
    '{"algorithm":"adam","batchRows":4,"dropout":0.1,"classWeights":{"a":2},"split":[70,0,30]}',
)


def main(arguments: list[str]) -> None:
    """Run each target (or the named ones) for its share of ten minutes, or of `--seconds N`."""
    seconds = 600
    if "--seconds" in arguments:
        at = arguments.index("--seconds")
        seconds = int(arguments[at + 1])
        arguments = [*arguments[:at], *arguments[at + 2 :]]
    names = arguments or list(TARGETS)
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        raise BuildError(f"no fuzz target {unknown[0]!r}; there are: {', '.join(TARGETS)}")
    if shutil.which("cargo-fuzz") is None:
        run("cargo", "install", "--locked", "cargo-fuzz")
    env = {"CARGO_TARGET_DIR": str(FUZZ / "target")}
    for name in names:
        corpus = FUZZ / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        for seed in TARGETS[name]:
            shutil.copy(seed, corpus)
        if name == "options":
            for number, text in enumerate(OPTIONS):
                (corpus / f"seed{number}").write_text(text, encoding="utf-8")
        say(f"fuzzing {name} for {seconds // len(names)} s")
        limits = (
            f"-max_total_time={max(1, seconds // len(names))}",
            "-timeout=20",
            "-rss_limit_mb=4096",
        )
        run("cargo", "+nightly", "fuzz", "run", name, "--", *limits, env=env)
