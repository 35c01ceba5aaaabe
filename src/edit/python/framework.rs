//! The frameworks whose applications are traced by lines in the code: what makes one, and what traces it.

/// A web framework for Python.
#[derive(Debug, PartialEq, Eq)]
pub struct Framework {
    /// The package, and the module it is imported as: `flask`.
    pub package: &'static str,
    /// The class of its applications, as `from flask import *` brings it: `Flask`.
    pub class: &'static str,
    /// Classes that are an application, or hold it in the attribute beside them, as imports resolve them.
    pub classes: &'static [(&'static str, &'static str)],
    /// Texts of which each module that may make an application has one.
    words: &'static [&'static str],
    /// The module and the class that trace an application: `instrument_app` is called on an instance.
    pub instrumentor: (&'static str, &'static str),
}

/// Every framework that code is written for.
pub static FRAMEWORKS: [Framework; 1] = [Framework {
    package: "flask",
    class: "Flask",
    classes: &[
        ("flask.Flask", ""),
        ("flask.app.Flask", ""),
        ("apiflask.APIFlask", ""),
        ("apiflask.app.APIFlask", ""),
        ("flask_openapi3.OpenAPI", ""),
        ("flask_openapi3.openapi.OpenAPI", ""),
        ("flask_api.FlaskAPI", ""),
        ("flask_api.app.FlaskAPI", ""),
        ("eve.Eve", ""),
        ("eve.flaskapp.Eve", ""),
        ("flask_lambda.FlaskLambda", ""),
        ("connexion.App", ".app"),
        ("connexion.FlaskApp", ".app"),
        ("connexion.apps.flask_app.FlaskApp", ".app"),
        ("connexion.apps.flask.FlaskApp", ".app"),
    ],
    words: &["flask", "Flask", "connexion", "from eve ", "import eve"],
    instrumentor: ("opentelemetry.instrumentation.flask", "FlaskInstrumentor"),
}];

/// Packages whose objects a server for Python serves and that no code is written for.
const OTHERS: [&str; 15] = [
    "fastapi",
    "starlette",
    "django",
    "falcon",
    "aiohttp",
    "bottle",
    "tornado",
    "quart",
    "sanic",
    "pyramid",
    "litestar",
    "blacksheep",
    "cherrypy",
    "dash",
    "asgiref",
];

impl Framework {
    /// Returns whether a text may make one of its applications, by the names in it.
    pub fn may_be_in(&self, text: &str) -> bool {
        self.words.iter().any(|word| text.contains(word))
    }

    /// Returns whether a text makes one of its applications, without being read as Python.
    pub fn is_called_in(&self, text: &str) -> bool {
        text.contains(&format!("{}(", self.class))
    }

    /// Finds the framework whose instrumentation this expression makes: `FlaskInstrumentor()`.
    pub fn traced_by(callee: &str) -> Option<&'static Self> {
        FRAMEWORKS.iter().find(|one| callee.contains(&format!("{}(", one.instrumentor.1)))
    }

    /// Returns whether the objects of a package are applications of a framework that no code is written for.
    pub fn is_unsupported(package: &str) -> bool {
        OTHERS.contains(&package) && FRAMEWORKS.iter().all(|one| one.package != package)
    }
}
