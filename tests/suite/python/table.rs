//! The shapes of applications, each with the expression that returns its application.

use cruddur_ops::plan::instrument::MistakePolicy;

/// One application before it is traced.
pub struct Shape {
    pub name: &'static str,
    pub files: &'static [(&'static str, &'static str)],
    /// `module:expression`, or `module:__main__` for a program.
    pub entry: &'static str,
    pub requirements: &'static str,
    /// The number of requests: one for each application.
    pub requests: usize,
    /// The treatment of its mistakes.
    pub mistakes: MistakePolicy,
}

const fn app(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Shape {
    Shape {
        name,
        files,
        entry: "app:app",
        requirements: "flask\n",
        requests: 1,
        mistakes: MistakePolicy::Say,
    }
}

/// Returns an application that does not start, or is not traced, until its mistakes are fixed.
const fn broken(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Shape {
    Shape { mistakes: MistakePolicy::Fix, ..app(name, files) }
}

const fn from(entry: &'static str, shape: Shape) -> Shape {
    Shape { entry, ..shape }
}

/// Returns whether `new` contains every line of `old`, in order and with the same bytes.
pub fn same_bytes(old: &str, new: &str) -> bool {
    let mut lines = new.split_inclusive('\n');
    old.split_inclusive('\n').all(|line| {
        lines.any(|other| {
            other == line || (!line.ends_with('\n') && other.trim_end_matches(['\r', '\n']) == line)
        })
    })
}

pub const SHAPES: &[Shape] = &[
    app(
        "guide",
        &[
            (
                "app.py",
                "from flask import Flask\nfrom flask import request\nfrom flask_cors import CORS, cross_origin\nimport os\n\nfrom services.home_activities import *\n\napp = Flask(__name__)\nfrontend = os.getenv('FRONTEND_URL')\norigins = [frontend]\ncors = CORS(\n  app, \n  resources={r\"/api/*\": {\"origins\": origins}},\n  expose_headers=\"location,link\",\n  allow_headers=\"content-type,if-modified-since\",\n  methods=\"OPTIONS,GET,HEAD,POST\"\n)\n\n@app.route(\"/\", methods=['GET'])\ndef data_home():\n  data = HomeActivities.run()\n  return data, 200\n\nif __name__ == \"__main__\":\n  app.run(debug=True)",
            ),
            ("services/home_activities.py", "class HomeActivities:\n  def run():\n    return []\n"),
        ],
    ),
    app("smallest", &[("app.py", "from flask import Flask\napp = Flask(__name__)")]),
    app(
        "docstring_and_future",
        &[(
            "app.py",
            "\"\"\"Backend.\n\nfrom flask import nothing\n\"\"\"\nfrom __future__ import annotations\n\nfrom flask import Flask\n\napp = Flask(__name__)\n",
        )],
    ),
    app(
        "docstring_only",
        &[(
            "app.py",
            "'''Backend.'''\nif True:\n    from flask import Flask\n\n\napp = Flask(__name__)\n",
        )],
    ),
    app(
        "crlf",
        &[(
            "app.py",
            "import os\r\nfrom flask import Flask\r\n\r\napp = Flask(__name__)\r\n\r\n@app.route('/')\r\ndef home():\r\n    return 'x'\r\n",
        )],
    ),
    app("crlf_without_end", &[("app.py", "from flask import Flask\r\napp = Flask(__name__)")]),
    app(
        "byte_order_mark",
        &[("app.py", "\u{feff}from flask import Flask\napp = Flask(__name__)\n")],
    ),
    app(
        "shebang_and_coding",
        &[(
            "app.py",
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# The backend.\nimport flask\napp = flask.Flask(__name__)\n",
        )],
    ),
    app(
        "nothing_but_conditional_imports",
        &[(
            "app.py",
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\ntry:\n    from flask import Flask\nexcept ImportError:\n    raise\napp = Flask(__name__)\n",
        )],
    ),
    from(
        "app:create_app()",
        app(
            "factory",
            &[(
                "app.py",
                "from flask import Flask\n\n\ndef create_app(config=None):\n    \"\"\"Makes it.\"\"\"\n    app = Flask(__name__)\n    if config:\n        app.config.update(config)\n\n    @app.route('/')\n    def home():\n        return 'x'\n\n    return app\n",
            )],
        ),
    ),
    from(
        "app:create_app()",
        app(
            "factory_with_tabs",
            &[(
                "app.py",
                "from flask import Flask\n\ndef create_app():\n\tapp = Flask(__name__)\n\treturn app\n",
            )],
        ),
    ),
    from(
        "app:create_app()",
        app(
            "factory_with_two_spaces",
            &[(
                "app.py",
                "from flask import Flask\ndef create_app():\n  app = Flask(__name__)\n  return app",
            )],
        ),
    ),
    from(
        "app:create_app()",
        app(
            "factory_that_imports",
            &[(
                "app.py",
                "import os\n\ndef create_app():\n    from flask import Flask\n    app = Flask(__name__)\n    return app\n",
            )],
        ),
    ),
    from(
        "app:create_app()",
        app(
            "decorated_factory",
            &[(
                "app.py",
                "import functools\nfrom flask import Flask\n\n# Made once.\n@functools.cache\ndef create_app():\n    app = Flask(__name__)\n    return app\n",
            )],
        ),
    ),
    from(
        "app:create_app()",
        app(
            "factory_with_a_global",
            &[(
                "app.py",
                "import flask\napp = None\ndef create_app():\n    global app\n    app = flask.Flask(__name__)\n    return app\n",
            )],
        ),
    ),
    from(
        "app:app",
        app(
            "called_factory",
            &[(
                "app.py",
                "from flask import Flask\n\ndef create_app():\n    flask_app = Flask(__name__)\n    return flask_app\n\napp = create_app()\n",
            )],
        ),
    ),
    app(
        "aliased_class",
        &[("app.py", "from flask import Flask as F, request\n\napp = F(__name__)\n")],
    ),
    app("module_import", &[("app.py", "import flask\n\napp = flask.Flask(__name__)\n")]),
    app("aliased_module", &[("app.py", "import os, flask as f\napp = f.Flask(__name__)\n")]),
    app("everything_imported", &[("app.py", "from flask import *\napp = Flask(__name__)\n")]),
    app(
        "subclass",
        &[(
            "app.py",
            "from flask import Flask\n\nclass Own(Flask):\n    pass\n\napp = Own(__name__)\n",
        )],
    ),
    from(
        "app:Server().app",
        app(
            "attribute",
            &[(
                "app.py",
                "from flask import Flask\n\nclass Server:\n    def __init__(self):\n        self.app = Flask(__name__)\n        self.app.config['X'] = 1\n",
            )],
        ),
    ),
    app(
        "under_a_condition",
        &[(
            "app.py",
            "import os\nfrom flask import Flask\n\nif os.getenv('NEVER'):\n    app = Flask('never')\nelse:\n    app = Flask(__name__, static_folder=None)\n",
        )],
    ),
    app(
        "in_a_try",
        &[(
            "app.py",
            "from flask import Flask\n\ntry:\n    app = Flask(__name__)\nexcept Exception:\n    raise\n",
        )],
    ),
    app(
        "in_a_with",
        &[(
            "app.py",
            "import contextlib\nfrom flask import Flask\nwith contextlib.suppress(KeyError):\n    app = Flask(__name__)\n    app.config['X'] = 1\n",
        )],
    ),
    from(
        "app:__main__",
        app(
            "program",
            &[(
                "app.py",
                "from flask import Flask\n\nif __name__ == '__main__':\n    app = Flask(__name__)\n    app.run(debug=True)\n",
            )],
        ),
    ),
    Shape {
        requests: 2,
        ..from(
            "app:(app, admin)",
            app(
                "two_apps",
                &[(
                    "app.py",
                    "from flask import Flask\n\napp = Flask(__name__)\n\nadmin = Flask('admin')\nadmin.config['X'] = 1\n",
                )],
            ),
        )
    },
    app(
        "two_names",
        &[("app.py", "from flask import Flask\napp = application = Flask(__name__)\n")],
    ),
    app("annotated", &[("app.py", "from flask import Flask\napp: Flask = Flask(__name__)\n")]),
    app(
        "many_lines",
        &[(
            "app.py",
            "from flask import (\n    Flask,\n    request,  # the request\n)  # all of it\n\napp = Flask(\n    __name__,\n    static_url_path='/x',  # a comment, with (\n)\napp.config['X'] = 1\n",
        )],
    ),
    app(
        "comment_behind",
        &[("app.py", "from flask import Flask  # web\napp = Flask(__name__)  # the app\n")],
    ),
    app(
        "comment_above",
        &[(
            "app.py",
            "from flask import Flask\n\n# The app.\n# It serves.\napp = Flask(__name__)\n",
        )],
    ),
    app(
        "semicolon",
        &[(
            "app.py",
            "from flask import Flask\nfrom flask_cors import CORS\napp = Flask(__name__); CORS(app)\n",
        )],
    ),
    app("all_in_one_line", &[("app.py", "from flask import Flask; app = Flask(__name__)\n")]),
    app(
        "walrus",
        &[("app.py", "from flask import Flask\nif (app := Flask(__name__)).config:\n    pass\n")],
    ),
    app(
        "backslash",
        &[("app.py", "from flask import Flask, \\\n    request\napp = \\\n    Flask(__name__)\n")],
    ),
    app(
        "commented_out",
        &[(
            "app.py",
            "from flask import Flask\n# HoneyComb ---------\n# from opentelemetry import trace\n# from opentelemetry.instrumentation.flask import FlaskInstrumentor\n# provider = TracerProvider()\n# trace.set_tracer_provider(provider)\napp = Flask(__name__)\n# FlaskInstrumentor().instrument_app(app)\n",
        )],
    ),
    app(
        "in_a_string",
        &[(
            "app.py",
            "from flask import Flask\nHELP = '''\napp = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\n'''\napp = Flask(__name__)\n",
        )],
    ),
    app(
        "type_checking",
        &[(
            "app.py",
            "from typing import TYPE_CHECKING\nimport flask\nif TYPE_CHECKING:\n    from opentelemetry import trace\n    from flask import Flask\napp: 'Flask' = flask.Flask(__name__)\n",
        )],
    ),
    app(
        "fallback_import",
        &[(
            "app.py",
            "import os\ntry:\n    import ujson as json\nexcept ImportError:\n    import json\nfrom flask import Flask\n\napp = Flask(__name__)\n",
        )],
    ),
    app(
        "imports_behind",
        &[
            (
                "app.py",
                "from flask import Flask\napp = Flask(__name__)\n\nfrom routes import home\nhome(app)\n",
            ),
            (
                "routes.py",
                "def home(app):\n    @app.route('/')\n    def home():\n        return 'x'\n",
            ),
        ],
    ),
    app(
        "code_between_imports",
        &[(
            "app.py",
            "import os\nos.environ.setdefault('X', '1')\nimport flask\n\nX = os.environ['X']\napp = flask.Flask(__name__)\n",
        )],
    ),
    app(
        "names_are_taken",
        &[(
            "app.py",
            "from flask import Flask\n\ndef trace(text):\n    return text\n\nprovider = 'acme'\nTracerProvider = None\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    assert trace(provider) == 'acme' and TracerProvider is None\n    return 'x'\n",
        )],
    ),
    app(
        "imports_are_there",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry import trace as t\nfrom opentelemetry.sdk.trace import TracerProvider\n\ntracer = t.get_tracer('app')\napp = Flask(__name__)\n",
        )],
    ),
    app(
        "provider_is_there",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\n\napp = Flask(__name__)\n",
        )],
    ),
    app(
        "hook_is_there",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\n\napp = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\n",
        )],
    ),
    app(
        "all_is_there",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry import trace\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.instrumentation.requests import RequestsInstrumentor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\n\nprovider = TracerProvider()\nprocessor = BatchSpanProcessor(OTLPSpanExporter())\nprovider.add_span_processor(processor)\ntrace.set_tracer_provider(provider)\ntracer = trace.get_tracer(__name__)\n\napp = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\nRequestsInstrumentor().instrument()\n",
        )],
    ),
    app(
        "in_a_library",
        &[
            (
                "app.py",
                "from flask import Flask\nfrom lib.honeycomb import init_honeycomb\n\napp = Flask(__name__)\nwith app.app_context():\n  init_honeycomb(app)\n",
            ),
            (
                "lib/honeycomb.py",
                "from opentelemetry import trace\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.instrumentation.requests import RequestsInstrumentor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\n\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\n\ndef init_honeycomb(app):\n  FlaskInstrumentor().instrument_app(app)\n  RequestsInstrumentor().instrument()\n",
            ),
        ],
    ),
    app(
        "library_nobody_imports",
        &[
            ("app.py", "from flask import Flask\n\napp = Flask(__name__)\n"),
            (
                "lib/honeycomb.py",
                "from opentelemetry import trace\nfrom opentelemetry.sdk.trace import TracerProvider\ntrace.set_tracer_provider(TracerProvider())\n",
            ),
        ],
    ),
    app(
        "in_another_module",
        &[
            ("app.py", "from web import app\n\n@app.route('/')\ndef home():\n    return 'x'\n"),
            ("web.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ],
    ),
    from(
        "wsgi:app",
        app(
            "package_with_a_factory",
            &[
                (
                    "cruddur/__init__.py",
                    "import os\nfrom flask import Flask\nfrom .views import bp\n\ndef create_app():\n    app = Flask(__name__)\n    app.register_blueprint(bp)\n    return app\n",
                ),
                (
                    "cruddur/views.py",
                    "from flask import Blueprint\nbp = Blueprint('x', __name__)\n\n@bp.route('/')\ndef home():\n    return 'x'\n",
                ),
                ("wsgi.py", "from cruddur import create_app\napp = create_app()\n"),
            ],
        ),
    ),
    from(
        "wsgi:app",
        app(
            "hooked_where_it_is_called",
            &[
                (
                    "app.py",
                    "from flask import Flask\n\ndef create_app():\n    app = Flask(__name__)\n    return app\n",
                ),
                (
                    "wsgi.py",
                    "from opentelemetry import trace\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import SimpleSpanProcessor\nfrom app import create_app\ntrace.set_tracer_provider(TracerProvider())\ntrace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))\napp = create_app()\nFlaskInstrumentor().instrument_app(app)\n",
                ),
            ],
        ),
    ),
    Shape {
        requests: 2,
        ..from(
            "app:(app, __import__('admin').app)",
            app(
                "one_provider_for_two_modules",
                &[
                    ("app.py", "import admin\nfrom flask import Flask\napp = Flask(__name__)\n"),
                    ("admin.py", "from flask import Flask\napp = Flask('admin')\n"),
                ],
            ),
        )
    },
    Shape {
        requirements: "flask\nredis\nboto3==1.44.5\n",
        ..app(
            "libraries",
            &[(
                "app.py",
                "import boto3, redis\nfrom flask import Flask\n\napp = Flask(__name__)\n",
            )],
        )
    },
    app(
        "middleware",
        &[(
            "app.py",
            "import os\nfrom flask import Flask\nfrom aws_xray_sdk.core import xray_recorder\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\nxray_recorder.configure(service='backend-flask', sampling=False)\napp = Flask(__name__)\nXRayMiddleware(app, xray_recorder)\n",
        )],
    ),
    app("first_line_is_code", &[("app.py", "X = 1\nimport flask\napp = flask.Flask(__name__)\n")]),
    app(
        "form_feed_and_unicode",
        &[(
            "app.py",
            "from flask import Flask\n\x0c\n# \u{e9}\u{1f600}\nn\u{e4}me = '\u{1f600}'\napp = Flask(n\u{e4}me)\n",
        )],
    ),
    app(
        "python_3_12",
        &[(
            "app.py",
            "from flask import Flask\nasync def f(*, a: int | None = None) -> list[int]:\n    match a:\n        case None: return []\n        case _: return [a]\napp = Flask(f\"{__name__!s:>{10}}\")\n",
        )],
    ),
    broken(
        "early_hook",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry import trace\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\nFlaskInstrumentor().instrument_app(app)\napp = Flask(__name__)\n",
        )],
    ),
    broken(
        "early_middleware",
        &[(
            "app.py",
            "from flask import Flask\nfrom aws_xray_sdk.core import xray_recorder\nfrom aws_xray_sdk.ext.flask.middleware import XRayMiddleware\nxray_recorder.configure(service='backend-flask', sampling=False)\nXRayMiddleware(app, xray_recorder)\n\napp = Flask(__name__)",
        )],
    ),
    broken(
        "hook_of_a_program",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry import trace\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\napp = Flask(__name__)\nif __name__ == '__main__':\n    FlaskInstrumentor().instrument_app(app)\n    app.run()\n",
        )],
    ),
    broken(
        "class_wide_hook",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry import trace\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\ntrace.set_tracer_provider(provider)\napp = Flask(__name__)\nFlaskInstrumentor().instrument()\n",
        )],
    ),
    broken(
        "provider_never_set",
        &[(
            "app.py",
            "from flask import Flask\nfrom opentelemetry import trace\nfrom opentelemetry.instrumentation.flask import FlaskInstrumentor\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\nfrom opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\nprovider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\napp = Flask(__name__)\nFlaskInstrumentor().instrument_app(app)\n",
        )],
    ),
];
