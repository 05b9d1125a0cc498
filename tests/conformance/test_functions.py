"""The engine's functions have in WebAssembly the bits that `cargo test` holds all other targets to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
const { exports } = new WebAssembly.Instance(
  new WebAssembly.Module(require("node:fs").readFileSync(process.argv[1])),
);
const rows = [];
for (let level = 0; level < exports.levels(); level++)
  for (let index = 0; index < exports.functions(); index++)
    rows.push({
      vector: exports.is_vector(level) !== 0,
      found: BigInt.asUintN(64, exports.found(level, index)).toString(16),
      expected: BigInt.asUintN(64, exports.expected(index)).toString(16),
    });
console.log(JSON.stringify(rows));
"""


def test_functions_have_the_bits_of_every_target_in_node() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from tools import output, run, target_dir
        from wasm_toolchain import TARGET, wasm_environment
    finally:
        sys.path.pop(0)
    package = ("--locked", "--release", "--package", "ruv-swarm-neural")
    target = target_dir() / "wasm"
    run(
        *("cargo", "build", *package, "--example", "functions_wasm"),
        *("--target", TARGET, "--target-dir", target),
        env=wasm_environment(),
    )
    module = target / TARGET / "release" / "examples" / "functions_wasm.wasm"
    rows = json.loads(output("node", "-e", SCRIPT, module))
    assert any(row["vector"] for row in rows), "no SIMD in the module"
    assert [row["found"] for row in rows] == [row["expected"] for row in rows]
