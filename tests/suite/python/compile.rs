//! The reader of Python refuses and accepts the same texts as `compile()` of the real Python.

use std::io::Write;
use std::process::{Command, Stdio};

use cruddur_ops::edit::python::source::PythonSource;

use super::python;
use crate::sandbox::Sandbox;

/// Texts that no Python 3 version compiles.
const BROKEN: [&str; 112] = [
    // Lines and brackets.
    "if x:\npass\n",
    "if x:\n",
    "def f():\n# only a comment\n",
    "class A:\n    def f(self):\n\n    x = 1\n",
    "x = 1\n  y = 2\n",
    "  x = 1\n",
    "if x:\n    a\n  b\n",
    "if x:\n        a\n\tb\n",
    "if x:\n\ta\n        b\n",
    "for a in b:\n    c\n      d\n",
    "x = (1,\n",
    "x = [1)\n",
    "x = 1]\n",
    "x = 'a\n",
    "x = '''a\n",
    "x = 1 \\ \ny = 2\n",
    "x = \\",
    "try:\n    a\nb\n",
    "else:\n    a\n",
    "x = 1 y = 2\n",
    // Statements where they cannot run.
    "return 1\n",
    "class A:\n    return 1\n",
    "yield 1\n",
    "class A:\n    x = yield\n",
    "await f()\n",
    "def f():\n    await g()\n",
    "async def f():\n    def g():\n        await h()\n",
    "def f():\n    async with a: pass\n",
    "def f():\n    async for a in b: pass\n",
    "break\n",
    "if x:\n    continue\n",
    "for a in b:\n    def f():\n        break\n",
    "for a in b: pass\nelse:\n    break\n",
    "def f():\n    from a import *\n",
    "from a import b,\nc\n",
    "x = 1\nfrom __future__ import annotations\n",
    "import os\nfrom __future__ import annotations\n",
    "if x: pass\nfrom __future__ import annotations\n",
    "def f(): pass\nfrom __future__ import annotations\n",
    "class A: pass\nfrom __future__ import annotations\n",
    "from __future__ import telepathy\n",
    "nonlocal x\n",
    "def f():\n    nonlocal x\n",
    "def f(x):\n    global x\n",
    "def f():\n    x = 1\n    global x\n",
    "def f():\n    print(x)\n    global x\n",
    // Parameters and arguments.
    "def f(a, a): pass\n",
    "lambda a, a: 1\n",
    "def f(a=1, b): pass\n",
    "def f(*, **k): pass\n",
    "def f(*): pass\n",
    "def f(**k, a): pass\n",
    "def f(*a, *b): pass\n",
    "def f(/, a): pass\n",
    "f(a=1, 2)\n",
    "f(a=1, a=2)\n",
    "f(**a, 1)\n",
    "f(**a, *b)\n",
    "f(None=1)\n",
    "f(a.b=1)\n",
    "class A(x=1, B): pass\n",
    // Assignments.
    "f() = 1\n",
    "1 = x\n",
    "'a' = x\n",
    "None = 1\n",
    "x + 1 = 2\n",
    "(a, 1) = b\n",
    "[a, f()] = b\n",
    "a, *b, *c = d\n",
    "*a = b\n",
    "x = *a\n",
    "a, b += 1\n",
    "f() += 1\n",
    "(a, b): int = 1\n",
    "a, b: int\n",
    "for 1 in x: pass\n",
    "for f() in x: pass\n",
    "with a as f(): pass\n",
    "with a as 1: pass\n",
    "del f()\n",
    "del 1\n",
    "del *a\n",
    "x := 1\n",
    "x = y := 1\n",
    "f(a=b := 1)\n",
    "(a.b := 1)\n",
    "[*a for a in b]\n",
    "print(**a for a in b)\n",
    "def None(): pass\n",
    "class True: pass\n",
    "import a as None\n",
    "async = 1\n",
    "lambda: (yield) = 1\n",
    // Python 2.
    "print 'old'\n",
    "exec 'old'\n",
    "raise E, 'old'\n",
    "x = 0777\n",
    "x = 10L\n",
    "x = a <> b\n",
    "x = ur'a'\n",
    "try: pass\nexcept E, e: pass\n",
    "x = `a`\n",
    // Literals.
    "x = b'\u{e4}'\n",
    "x = 'a' b'b'\n",
    "x = '\\x1'\n",
    "x = '\\u12'\n",
    "x = '\\U00110000'\n",
    "x = '\\N'\n",
    "x = 1__0\n",
    "x = f'{}'\n",
    // Clauses.
    "try:\n    a\nexcept:\n    b\nexcept E:\n    c\n",
    "match a:\n    case b:\n        c\n    case 1:\n        d\n",
];

/// Unusual texts that every Python 3.10 and later compiles.
const VALID: [&str; 62] = [
    "",
    "\n\n# nothing\n",
    "\u{feff}import os\r\nif os:\r\n    pass\r\n",
    "if x:\n\tif y:\n\t\tpass\n\telse:\n\t\tpass\n",
    "if x:\n        a\n        b\nif x:\n\ta\n\tb\n",
    "if x:\n    a\n  # less\n    b\n\n    # more\n        # and more\n    c",
    "if x: pass\nelif y: pass\nelse: pass\n",
    "if x:\n    pass ; pass ;\n",
    "x = (1,\n2,\n      3)\n",
    "x = {'a':\n1}\n",
    "x = [\n# c\n]\n",
    "x = 1 + \\\n    2\n",
    "if a and \\\nb:\n    pass\n",
    "def f(): return 1\n",
    "def f():\n    '''\ndoc\n  string\n'''\n    return '''\n\tx\n'''\n",
    "\x0cimport os\n\x0cdef f():\n    pass\n",
    "class A: pass\nclass B(A, metaclass=M, **k): x: int\n",
    "async def f():\n    async with a as b, c: await d\n    async for e in g: print(e)\n    return [h async for h in i]\n",
    "f = lambda *a, b=1, **c: (yield)\n",
    "lambda: 1\nlambda a, /, b, *, c: a\n",
    "def f(a, /, b=1, *c, d, e=2, **g) -> int: ...\n",
    "def f(a=1, *, b): pass\n",
    "def f(*a, b): pass\n",
    "def f(a: int = 1, *b: str, c: int, **d: x): pass\n",
    "for a, *b in c: break\nelse: pass\n",
    "while True:\n    try:\n        continue\n    finally:\n        pass\n",
    "for a in b:\n    for c in d: pass\n    else:\n        break\n",
    "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    return g\n",
    "def f():\n    global x, y\n    x = 1\n",
    "def f(a=x):\n    global x\n",
    "'doc'\n'more'\n",
    "'doc'\nfrom __future__ import annotations, division\nimport os\n",
    "# c\n\nfrom __future__ import annotations as a\n",
    "a = b = c, *d = [1]\n",
    "(a), [b, (c, d)], e.f, g[0] = h\n",
    "[] = ()\n() = []\n",
    "(x): int = 1\nx.y: int = 2\nx[0]: int\n",
    "(x) += 1\nx.y -= 1\nx[0] @= 1\n",
    "x: int\ny: 'a.b' = *a, b\n",
    "return_ = 1\nprint_ = yields = 2\n",
    "del a, b.c, (d[0], [e]), (f)\n",
    "print(*a, *b, c=1, **d, **e)\n",
    "f(a, *b, c, d=1, *e, **g)\n",
    "x = [*a, *b], {*a}, {**a, 'b': 1}, (*a,), *b,\n",
    "x = (y := 1)\nif (n := f()): pass\nf(z := 1)\n[w := 1, w]\nwhile chunk := read(): pass\n",
    "with a, b as c, d as (e, f): pass\nwith (a as b, c as d): pass\nwith a as b.c, d as e[0]: pass\n",
    "try: a\nexcept (B, C) as d: e\nexcept F: g\nexcept: h\nelse: i\nfinally: j\n",
    "try:\n    a\nfinally:\n    b\n",
    "raise\nraise E\nraise E('x') from None\nraise (E, F)\n",
    "match = 1\ncase = 2\ntype = 3\n_ = match + case\nprint(match)\n",
    "match a:\n    case [1, 2, *_]: b\n    case {'c': d, **e}: f\n    case A(g=1) | B() if h: i\n    case x if x: j\n    case _: k\n",
    "x = 00 + 0o17 + 0b1_0 + 0xFF_ff + 1_000.5e-3 + 1j + 0_0 + 07.5 + 08j + .5 + 5.\n",
    "x = 'a' \"b\" f'{c}' r'\\x', rb'\\x' Rb'\\u12' b'x', BR'x', u'\\u1234\\N{EM DASH}'\n",
    "x = '\\q \\8 \\\n y'\nb = b'\\8 \\q'\n",
    "x = f'{a!r:>{b}} {{}} {c[\"d\"]} {e=}' f\"{'g' if h else 'i'}\" rf'\\d{{2}} {j}'\n",
    "x = f'''{\n    a\n}'''\n",
    "x = a if b else c if d else lambda: e\n",
    "x = not a in b is not c < d != e\n",
    "x = a[1:2, ::3, ...], a[b:=1], a[:, None]\n",
    "@a.b(c)[0]\n@(lambda f: f)\ndef f(): pass\n",
    "f(x for x in y)\nsum((x for x in y), 1)\nx = (yield_ for yield_ in z)\n",
    "\u{e9}t\u{e9} = 1\nх = 2\n\u{540d}\u{524d} = '\u{1f600}'\n",
];

/// Returns whether `compile()` accepts each text.
fn compiled(texts: &[String]) -> Option<Vec<bool>> {
    const ORACLE: &str = "import json, sys, warnings\nwarnings.simplefilter('ignore')\n\
        def taken(text):\n    try:\n        compile(text.encode(), 'app.py', 'exec', dont_inherit=True)\n        return True\n    \
        except (SyntaxError, ValueError, RecursionError, MemoryError):\n        return False\n\
        print(json.dumps([taken(text) for text in json.load(sys.stdin)]))\n";
    let mut child = Command::new(python()?)
        .args(["-c", ORACLE])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = serde_json::to_string(texts).unwrap();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn texts_are_refused_and_read_as_python_does() {
    let texts: Vec<String> = BROKEN.iter().chain(&VALID).map(|text| (*text).to_owned()).collect();
    let Some(taken) = compiled(&texts) else { return };
    let mut wrong = Vec::new();
    for (at, (text, taken)) in texts.iter().zip(taken).enumerate() {
        assert_eq!(taken, at >= BROKEN.len(), "the table says otherwise than Python: {text:?}");
        let read = PythonSource::parse(text);
        if read.is_ok() != taken {
            wrong.push((text, read.err()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Code nested in every way is read as deep as Python accepts, or refused with its line.
#[test]
fn nesting_is_read_or_refused_in_time_and_never_deeper_than_python_does() {
    let wrapped = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("x = {}{inner}{}\n", open.repeat(depth), close.repeat(depth))
    };
    let mut texts = Vec::new();
    for depth in [50, 199, 201, 500, 5_000] {
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("(a, ", ")"), ("[a, {b: (", ")}]")]
        {
            texts.push(wrapped(open, "1", close, depth));
        }
        let blocks: String =
            (0..depth.min(300)).map(|at| format!("{}if x:\n", " ".repeat(at))).collect();
        texts.push(format!("{blocks}{}pass\n", " ".repeat(depth.min(300))));
    }
    for (text, taken) in texts.iter().zip(compiled(&texts).unwrap_or_default()) {
        assert!(taken || PythonSource::parse(text).is_err(), "{}…", &text[..60]);
    }
    let start = std::time::Instant::now();
    for depth in [20_000, 100_000] {
        for (open, close) in [
            ("(", ")"),
            ("-", ""),
            ("not ", ""),
            ("lambda: ", ""),
            ("1 if a else ", ""),
            ("(", ""),
            ("", ")"),
            ("[{(", ""),
        ] {
            assert!(
                PythonSource::parse(&wrapped(open, "1", close, depth)).is_err(),
                "{open}{close}"
            );
        }
        for tail in [".b", "()", "[0]", "+1", " and a", ".b()"] {
            let error = PythonSource::parse(&wrapped("", "a", tail, depth)).unwrap_err();
            assert!(error.line == 1 || error.line == 2, "{error:?}");
        }
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(60), "{:?}", start.elapsed());
}

/// A file that Python cannot compile is not changed, and its line is named.
#[test]
fn a_file_that_python_does_not_load_is_not_edited() {
    let head = "from flask import Flask\napp = Flask(__name__)\n";
    for broken in ["@app.route('/')\ndef home():\nreturn 'x'\n", "return app\n", "print 'x'\n"] {
        let sandbox = Sandbox::new(&[
            ("docker-compose.yml", "services:\n  web:\n    build: .\n    ports: ['4567:4567']\n"),
            (
                "Dockerfile",
                "FROM python:3.11\nCOPY . .\nRUN pip install -r requirements.txt\nCMD python app.py\n",
            ),
            ("requirements.txt", "flask\n"),
        ]);
        let text = format!("{head}{broken}");
        sandbox.write("app.py", &text);
        let run = sandbox.run(&["instrument", "--yes"]).expect(2);
        assert!(run.stderr.contains("app.py:"), "{}", run.stderr);
        assert_eq!(sandbox.read("app.py"), text);
    }
}
