"""Values that lists put into requests: plain ones, and those that break careless code."""

from __future__ import annotations

import base64

from hypothesis import strategies as st

# JSON text cannot hold lone surrogates, and no facade lets them in.
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
NASTY = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "line\nbreak",
        'quo"te\\',
        "\u2028\u2029",
        "e\u0301 é",
        "👩\u200d🚀",
        "\u202eright",
        "\ufeff",
        "</script>",
        "{}",
        "null",
        "n" * 101,
        "é" * 100,
        "x" * 16_385,
        '"events":[]',
        '"content":""}',
    ]
)
NAMES = st.one_of(st.just("plain"), TEXT, NASTY)
WORDS = st.sampled_from(["timeout", "", "worker_error", "c" * 101])
ODD_NUMBERS = st.sampled_from(
    [0, -1, 1, 1.0, 1.5, -0.0, 1e300, 2**53 - 1, 2**53, 2**64, 10**400, "7", "007", "1e3", "", "-1"]
)
SCALARS = st.one_of(st.none(), st.booleans(), ODD_NUMBERS, TEXT, NASTY)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
BASE64 = st.one_of(
    st.binary(max_size=20).map(lambda content: base64.b64encode(content).decode()),
    st.sampled_from(["aGVsbG8=", "aGVsbG8", "====", "a b", ""]),
)
REQUESTS = st.sampled_from(
    [
        "",
        "  ",
        "{",
        "[]",
        "null",
        "7",
        '"text"',
        '{"tasks":[{"name":"a","name":"b"}]}',
        '{"agentId":"a1","agent_id":"a2"}',
        '{"agentId":"a1",}',
        '{"tasks":[{"priority":1e2}]}',
        '{"tasks":[{"priority":50.0}]}',
        '{"seed":1E400}',
        '{"seed":-0}',
        '{"name":"\\ud800"}',
        "[" * 200,
        '{"a":' * 200 + "1" + "}" * 200,
        "\ufeff{}",
        '{"taskId":"t1"}\x00',
    ]
)
