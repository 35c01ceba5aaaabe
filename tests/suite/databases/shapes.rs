//! The ways in which applications connect to databases.

/// An application that sends one query for each request of `/`.
pub struct DatabaseShape {
    pub name: &'static str,
    pub requirements: &'static str,
    pub files: &'static [(&'static str, &'static str)],
    /// The module that Python runs, with `PORT` for its port.
    pub command: &'static [&'static str],
    /// The instrumentation whose span is expected.
    pub scope: &'static str,
}

const PSYCOPG: &str = "opentelemetry.instrumentation.psycopg";
const PSYCOPG2: &str = "opentelemetry.instrumentation.psycopg2";
const SQLALCHEMY: &str = "opentelemetry.instrumentation.sqlalchemy";
const REDIS: &str = "opentelemetry.instrumentation.redis";

const FLASK_RUN: &[&str] = &["flask", "run", "--port", "PORT"];

const POOL: &str = "import os\n\nfrom psycopg_pool import ConnectionPool\n\n\
                    pool = ConnectionPool(os.environ['DATABASE_URL'], min_size=1, open=True)\n";

const CONNECTION: &str =
    "import os\nimport psycopg2\n\nconnection = psycopg2.connect(os.environ['DATABASE_URL'])\n";

const ENGINE: &str = "import os\n\nfrom sqlalchemy import create_engine\n\n\
                      engine = create_engine(os.environ['DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:'))\n";

pub const SHAPES: &[DatabaseShape] = &[
    DatabaseShape {
        name: "pool of an imported module",
        requirements: "flask\npsycopg[binary]\npsycopg-pool\n",
        files: &[
            ("lib/db.py", POOL),
            (
                "app.py",
                "\"\"\"The backend.\"\"\"\nfrom __future__ import annotations\n\nfrom flask import Flask\n\nfrom lib.db import pool\n\n\
                 app = Flask(__name__)\n\n@app.route('/')\ndef home():\n    with pool.connection() as connection:\n        \
                 return str(connection.execute('SELECT 1').fetchone())\n",
            ),
        ],
        command: FLASK_RUN,
        scope: PSYCOPG,
    },
    DatabaseShape {
        name: "star import",
        requirements: "flask\npsycopg2-binary\n",
        files: &[
            ("store.py", CONNECTION),
            (
                "app.py",
                "from flask import *\nfrom store import *\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n  \
                 cursor = connection.cursor()\n  cursor.execute('SELECT 1')\n  return str(cursor.fetchone())\n",
            ),
        ],
        command: FLASK_RUN,
        scope: PSYCOPG2,
    },
    DatabaseShape {
        name: "engine of an imported module",
        requirements: "flask\nsqlalchemy<2.1\npsycopg[binary]\n",
        files: &[
            ("db.py", ENGINE),
            (
                "app.py",
                "import db\nfrom flask import Flask\nfrom sqlalchemy import text\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    \
                 with db.engine.connect() as connection:\n        return str(connection.execute(text('SELECT 1')).scalar())\n",
            ),
        ],
        command: FLASK_RUN,
        scope: SQLALCHEMY,
    },
    DatabaseShape {
        name: "relative imports of a package with wsgi.py",
        requirements: "flask\ngunicorn\npsycopg[binary]\npsycopg-pool\n",
        files: &[
            ("api/db.py", POOL),
            (
                "api/__init__.py",
                "from flask import Flask\n\n\ndef create_app():\n    app = Flask(__name__)\n    from .views import views\n    \
                 app.register_blueprint(views)\n    return app\n",
            ),
            (
                "api/views.py",
                "from flask import Blueprint\nfrom .db import pool\n\nviews = Blueprint('views', __name__)\n\n@views.route('/')\ndef home():\n    \
                 with pool.connection() as connection:\n        return str(connection.execute('SELECT 1').fetchone())\n",
            ),
            (
                "api/wsgi.py",
                "from .db import pool\nfrom . import create_app\n\npool.check()\napp = create_app()\n",
            ),
        ],
        command: &["gunicorn", "--bind", "127.0.0.1:PORT", "api.wsgi:app"],
        scope: PSYCOPG,
    },
    DatabaseShape {
        name: "redis client of an imported module",
        requirements: "flask\nredis\n",
        files: &[
            (
                "services/cache.py",
                "import os\nfrom redis import Redis\n\ncache = Redis.from_url(os.environ['REDIS_URL'])\ncache.ping()\n",
            ),
            (
                "app.py",
                "from flask import Flask\nfrom services.cache import cache\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    \
                 return str(cache.incr('visits'))\n",
            ),
        ],
        command: FLASK_RUN,
        scope: REDIS,
    },
    DatabaseShape {
        name: "factory with extensions.py",
        requirements: "flask\ngunicorn\nflask-sqlalchemy\nsqlalchemy<2.1\npsycopg[binary]\n",
        files: &[
            (
                "shop/extensions.py",
                "from flask_sqlalchemy import SQLAlchemy\n\ndb = SQLAlchemy()\n",
            ),
            (
                "shop/__init__.py",
                "import os\nfrom flask import Flask\nfrom shop.extensions import db\n\n\ndef create_app():\n    app = Flask(__name__)\n    \
                 app.config['SQLALCHEMY_DATABASE_URI'] = os.environ['DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:')\n    \
                 db.init_app(app)\n\n    @app.route('/')\n    def home():\n        return str(db.session.execute(db.text('SELECT 1')).scalar())\n\n    \
                 return app\n",
            ),
        ],
        command: &["gunicorn", "--bind", "127.0.0.1:PORT", "shop:create_app()"],
        scope: SQLALCHEMY,
    },
    DatabaseShape {
        name: "models that make the engine",
        requirements: "flask\nflask-sqlalchemy\nsqlalchemy<2.1\npsycopg2-binary\n",
        files: &[
            (
                "models.py",
                "import os\nfrom sqlalchemy import create_engine, text\nfrom sqlalchemy.orm import scoped_session, sessionmaker\n\n\
                 engine = create_engine(os.environ['DATABASE_URL'])\nsession = scoped_session(sessionmaker(bind=engine))\n\n\ndef one():\n    \
                 return session.execute(text('SELECT 1')).scalar()\n",
            ),
            (
                "app.py",
                "from flask import Flask\nfrom models import one\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    return str(one())\n",
            ),
        ],
        command: &["flask", "--app", "app.py", "run", "--port", "PORT"],
        scope: SQLALCHEMY,
    },
    DatabaseShape {
        name: "two workers, preloaded",
        requirements: "flask\ngunicorn\nsqlalchemy<2.1\npsycopg[binary]\n",
        files: &[
            ("core/db.py", ENGINE),
            (
                "main.py",
                "from flask import Flask\nfrom sqlalchemy import text\n\nfrom core.db import engine\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    \
                 with engine.connect() as connection:\n        return str(connection.execute(text('SELECT 1')).scalar())\n",
            ),
        ],
        command: &[
            "gunicorn",
            "--workers",
            "2",
            "--preload",
            "--bind",
            "127.0.0.1:PORT",
            "main:app",
        ],
        scope: SQLALCHEMY,
    },
    DatabaseShape {
        name: "reloader",
        requirements: "flask\npsycopg[binary]\npsycopg-pool\n",
        files: &[
            ("lib/db.py", POOL),
            (
                "app.py",
                "import os\n\nimport lib.db\nfrom flask import Flask\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n\t\
                 with lib.db.pool.connection() as connection:\n\t\treturn str(connection.execute('SELECT 1').fetchone())\n",
            ),
        ],
        command: &["flask", "run", "--debug", "--port", "PORT"],
        scope: PSYCOPG,
    },
    DatabaseShape {
        name: "started by another module than the application's",
        requirements: "flask\ngunicorn\npsycopg2-binary\n",
        files: &[
            ("store.py", CONNECTION),
            (
                "server.py",
                "from flask import Flask\nimport store\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    \
                 cursor = store.connection.cursor()\n    cursor.execute('SELECT 1')\n    return str(cursor.fetchone())\n",
            ),
            (
                "main.py",
                "# What gunicorn starts.\nimport store\nfrom server import app\n\nassert store and app\n",
            ),
        ],
        command: &["gunicorn", "--bind", "127.0.0.1:PORT", "main:app"],
        scope: PSYCOPG2,
    },
    DatabaseShape {
        name: "package that connects when it is imported",
        requirements: "flask\ngunicorn\npsycopg2-binary\n",
        files: &[
            ("shop/db.py", CONNECTION),
            ("shop/__init__.py", "from .db import connection\n"),
            (
                "shop/app.py",
                "from flask import Flask\nfrom shop import connection\n\napp = Flask(__name__)\n\n@app.route('/')\ndef home():\n    \
                 cursor = connection.cursor()\n    cursor.execute('SELECT 1')\n    return str(cursor.fetchone())\n",
            ),
        ],
        command: &["gunicorn", "--bind", "127.0.0.1:PORT", "shop.app:app"],
        scope: PSYCOPG2,
    },
    DatabaseShape {
        name: "engine of the application's own module",
        requirements: "flask\nsqlalchemy<2.1\npsycopg[binary]\n",
        files: &[(
            "app.py",
            "import os\nfrom flask import Flask\nfrom sqlalchemy import create_engine, text\n\n\
             engine = create_engine(os.environ['DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:'))\n\
             app = Flask(__name__)\n\n@app.route('/')\ndef home():\n    with engine.connect() as connection:\n        \
             return str(connection.execute(text('SELECT 1')).scalar())\n",
        )],
        command: FLASK_RUN,
        scope: SQLALCHEMY,
    },
    DatabaseShape {
        name: "pool of the application's own module",
        requirements: "flask\npsycopg[binary]\npsycopg-pool\n",
        files: &[(
            "app.py",
            "import os\nfrom flask import Flask\nfrom psycopg_pool import ConnectionPool\n\n\
             # One pool for all.\npool = ConnectionPool(os.environ['DATABASE_URL'], min_size=1, open=True)\npool.wait()\n\
             app = Flask(__name__)\n\n@app.route('/')\ndef home():\n    with pool.connection() as connection:\n        \
             return str(connection.execute('SELECT 1').fetchone())\n",
        )],
        command: FLASK_RUN,
        scope: PSYCOPG,
    },
    DatabaseShape {
        name: "import that may fail",
        requirements: "flask\npsycopg[binary]\npsycopg-pool\n",
        files: &[
            ("settings/__init__.py", ""),
            ("settings/db.py", POOL),
            (
                "app.py",
                "from flask import Flask\n\ntry:\n    from settings.db import pool\nexcept ImportError:\n    pool = None\n\n\
                 app = Flask(__name__)\n\n@app.route('/')\ndef home():\n    with pool.connection() as connection:\n        \
                 return str(connection.execute('SELECT 1').fetchone())\n",
            ),
        ],
        command: &["flask", "--app", "app:app", "run", "--port", "PORT"],
        scope: PSYCOPG,
    },
];
