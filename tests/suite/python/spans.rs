//! Spans around functions: the exact text, and how Python runs it.

use cruddur_ops::error::{Error, ErrorCode, Result};
use cruddur_ops::plan::Plan;
use cruddur_ops::plan::instrument::PythonSourceFile;
use cruddur_ops::plan::instrument::span::{SpanAttributeRequest, SpanRequest, plan};

fn planned(text: &str, function: &str, attributes: &[(&str, &str)]) -> Result<Plan> {
    let file =
        PythonSourceFile { path: "/s/services/home_activities.py".into(), text: text.to_owned() };
    let attribute = |(key, expression): &(&str, &str)| SpanAttributeRequest {
        key: (*key).to_owned(),
        expression: (*expression).to_owned(),
    };
    let request = SpanRequest {
        function: function.to_owned(),
        name: "home-activities-mock-data".to_owned(),
        attributes: attributes.iter().map(attribute).collect(),
    };
    plan(&file, "services/home_activities.py", &request)
}

#[track_caller]
fn check(before: &str, function: &str, attributes: &[(&str, &str)], after: &str) {
    let plan = planned(before, function, attributes).unwrap();
    let text = plan.changes.first().map_or(before, |change| change.after.as_deref().unwrap());
    assert!(text == after, "{text}");
    assert!(planned(after, function, attributes).unwrap().is_empty(), "not once:\n{after}");
}

#[track_caller]
fn refused(text: &str, function: &str, attributes: &[(&str, &str)]) -> Error {
    planned(text, function, attributes).unwrap_err()
}

const GUIDE: &str = "from datetime import datetime, timedelta, timezone
class HomeActivities:
  def run():
    now = datetime.now(timezone.utc).astimezone()
    results = [{
      'uuid': '68f126b0',
      'created_at': (now - timedelta(days=2)).isoformat(),
    }
    ]
    return results";

const GUIDE_TRACED: &str = "from datetime import datetime, timedelta, timezone

# OpenTelemetry: the tracer of this module ---------
from opentelemetry import trace

tracer = trace.get_tracer(\"home.activities\")

class HomeActivities:
  def run():
    with tracer.start_as_current_span(\"home-activities-mock-data\") as span:
      now = datetime.now(timezone.utc).astimezone()
      span.set_attribute(\"app.now\", now.isoformat())
      results = [{
        'uuid': '68f126b0',
        'created_at': (now - timedelta(days=2)).isoformat(),
      }
      ]
      span.set_attribute(\"app.result_length\", len(results))
      return results";

const GUIDE_ATTRIBUTES: [(&str, &str); 2] =
    [("app.now", "now.isoformat()"), ("app.result_length", "len(results)")];

#[test]
fn the_guides_span_and_attributes() {
    check(GUIDE, "HomeActivities.run", &GUIDE_ATTRIBUTES, GUIDE_TRACED);
    check(
        &GUIDE.replace('\n', "\r\n"),
        "run",
        &GUIDE_ATTRIBUTES,
        &GUIDE_TRACED.replace('\n', "\r\n"),
    );
}

#[test]
fn a_span_without_attributes_is_a_decorator() {
    check(
        "import flask\n\nclass A:\n\t@staticmethod\n\tdef run():\n\t\treturn 1\n",
        "run",
        &[],
        "import flask\n\n# OpenTelemetry: the tracer of this module ---------\nfrom opentelemetry import trace\n\n\
         tracer = trace.get_tracer(\"home.activities\")\n\nclass A:\n\t@staticmethod\n\
         \t@tracer.start_as_current_span(\"home-activities-mock-data\")\n\tdef run():\n\t\treturn 1\n",
    );
}

#[test]
fn what_is_there_is_used() {
    check(
        "from opentelemetry import trace as t\nT = t.get_tracer('x')\nasync def run(a):\n    # first\n    if a:\n        return 1\n\n    return '''\n  two\n'''\n",
        "run",
        &[("app.a", "a")],
        "from opentelemetry import trace as t\nT = t.get_tracer('x')\nasync def run(a):\n    with T.start_as_current_span(\"home-activities-mock-data\") as span:\n        \
         span.set_attribute(\"app.a\", a)\n        # first\n        if a:\n            return 1\n\n        return '''\n  two\n'''\n",
    );
}

#[test]
fn an_attribute_joins_a_span_that_is_there() {
    let head = "from opentelemetry import trace\ntracer = trace.get_tracer('x')\n";
    check(
        &format!(
            "{head}def run():\n  with tracer.start_as_current_span('home-activities-mock-data'):\n    now = 1\n    return now\n"
        ),
        "run",
        &[("app.now", "now"), ("app.one", "1")],
        &format!(
            "{head}def run():\n  with tracer.start_as_current_span('home-activities-mock-data'):\n    trace.get_current_span().set_attribute(\"app.one\", 1)\n    \
             now = 1\n    trace.get_current_span().set_attribute(\"app.now\", now)\n    return now\n"
        ),
    );
    check(
        &format!(
            "{head}@tracer.start_as_current_span('home-activities-mock-data')\ndef run():\n  'doc'\n  return 1\n"
        ),
        "run",
        &[("app.one", "1")],
        &format!(
            "{head}@tracer.start_as_current_span('home-activities-mock-data')\ndef run():\n  'doc'\n  \
             trace.get_current_span().set_attribute(\"app.one\", 1)\n  return 1\n"
        ),
    );
}

#[test]
fn names_in_use_are_left_to_their_users() {
    check(
        "def trace(): pass\ntracer = 1\ndef run(span): return span\n",
        "run",
        &[("app.span", "span")],
        "# OpenTelemetry: the tracer of this module ---------\nfrom opentelemetry import trace as otel_trace\n\n\
         otel_tracer = otel_trace.get_tracer(\"home.activities\")\n\n\
         def trace(): pass\ntracer = 1\ndef run(span):\n    with otel_tracer.start_as_current_span(\"home-activities-mock-data\") as current_span:\n        \
         current_span.set_attribute(\"app.span\", span)\n        return span\n",
    );
}

#[test]
fn what_cannot_be_right_is_refused_with_the_reason() {
    let error = refused(GUIDE, "run", &[("user.id", "user.id()")]);
    assert_eq!(error.code, ErrorCode::NotInScope);
    assert!(error.message.contains("`user`"), "{}", error.message);
    assert_eq!(refused(GUIDE, "run", &[("a", "1 +")]).code, ErrorCode::InvalidExpression);
    assert_eq!(refused(GUIDE, "walk", &[]).code, ErrorCode::NoSuchFunction);
    assert_eq!(refused("def run():\n  yield 1\n", "run", &[]).code, ErrorCode::UnsafeEdit);
    assert_eq!(
        refused("def run():\n  a = 1; return a\n", "run", &[("a", "a")]).code,
        ErrorCode::UnsafeEdit
    );
    let error = refused("def run(:\n  pass\n", "run", &[]);
    assert_eq!((error.code, error.place.unwrap().line), (ErrorCode::UnsafeEdit, 1));
}

#[test]
fn python_sends_the_span_with_its_attributes() {
    let Some(python) = super::python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("services/home_activities.py", GUIDE_TRACED);
    let early =
        planned("def run(a):\n    if a: return 1\n    return '''\n x'''\n", "run", &[]).unwrap();
    write("early.py", early.changes[0].after.as_deref().unwrap());
    let awaited = planned("async def run(a):\n    return a\n", "run", &[("app.a", "a")]).unwrap();
    write("awaited.py", awaited.changes[0].after.as_deref().unwrap());
    write(
        "app.py",
        "import asyncio\nfrom flask import Flask\nfrom services.home_activities import HomeActivities\nimport awaited, early\n\
         from opentelemetry import trace\nfrom opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n\
         from opentelemetry.sdk.trace import TracerProvider\nfrom opentelemetry.sdk.trace.export import BatchSpanProcessor\n\
         provider = TracerProvider()\nprovider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))\n\
         trace.set_tracer_provider(provider)\napp = Flask(__name__)\n@app.route('/')\ndef home():\n    \
         assert early.run(1) == 1 and early.run(0) == '\\n x' and asyncio.run(awaited.run(5)) == 5\n    return HomeActivities.run()\n",
    );
    let input = serde_json::json!([{ "folder": folder.path(), "entry": "app:app" }]).to_string();
    let answers: serde_json::Value =
        serde_json::from_str(&super::script(&python, "trace_one_request.py", &input)).unwrap();
    let spans = answers[0]["other"].as_array().unwrap_or_else(|| panic!("{answers:#}"));
    assert_eq!(spans.len(), 4, "{answers:#}");
    let guide = &spans[3];
    assert_eq!(guide["scope"], "home.activities");
    assert!(guide["attributes"]["app.now"].is_string());
    assert_eq!(guide["attributes"]["app.result_length"], 1);
    assert_eq!(spans[2]["attributes"]["app.a"], 5);
}
