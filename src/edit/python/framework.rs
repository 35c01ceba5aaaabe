//! The web frameworks whose applications are instrumented by adding code.

/// A web framework for Python.
#[derive(Debug, PartialEq, Eq)]
pub struct PythonFramework {
    /// The package name, which is also the module name: `flask`.
    pub package: &'static str,
    /// The application class, as `from flask import *` binds it: `Flask`.
    pub class: &'static str,
    /// Resolved paths of application classes, each with the attribute that holds the application (empty if the instance
    /// is the application).
    pub classes: &'static [(&'static str, &'static str)],
    /// Words of which at least one occurs in each module that may create an application.
    words: &'static [&'static str],
    /// The module and the class whose instances have `instrument_app`.
    pub instrumentor: (&'static str, &'static str),
}

/// Every framework for which code is generated.
pub(crate) static FRAMEWORKS: [PythonFramework; 1] = [PythonFramework {
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

/// Other packages whose objects a Python server can serve, without support for generated code.
const OTHER_FRAMEWORKS: [&str; 15] = [
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

impl PythonFramework {
    /// Returns whether a text may create an application of this framework, judging by the words in it.
    pub fn may_be_in(&self, text: &str) -> bool {
        self.words.iter().any(|word| text.contains(word))
    }

    /// Returns whether a text creates an application of this framework, without parsing it.
    pub fn is_called_in(&self, text: &str) -> bool {
        text.contains(&format!("{}(", self.class))
    }

    /// Finds the framework that this instrumentor expression is for: `FlaskInstrumentor()`.
    pub fn traced_by(callee: &str) -> Option<&'static Self> {
        FRAMEWORKS
            .iter()
            .find(|framework| callee.contains(&format!("{}(", framework.instrumentor.1)))
    }

    /// Returns whether the objects of a package are applications of an unsupported framework.
    pub fn is_unsupported(package: &str) -> bool {
        OTHER_FRAMEWORKS.contains(&package)
            && FRAMEWORKS.iter().all(|framework| framework.package != package)
    }
}
