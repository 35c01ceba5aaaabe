//! What a Dockerfile's final stage stands on, and whether another stage's files are copied into it.

/// The final stage.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// The image it stands on in the end; stages of the same file are followed.
    pub(super) base: String,
    /// Files of another stage, or of the context, are copied in.
    pub(super) serves: Serves,
}

/// What a stage gets copied in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serves {
    /// At most configuration.
    Nothing,
    /// What another stage built, or web pages.
    Files,
}

struct Written {
    name: Option<String>,
    base: String,
    serves: Serves,
}

/// The stage `target`, or the last one.
pub(super) fn stage(text: &str, target: Option<&str>) -> Option<Stage> {
    let stages = stages(text);
    let named = |name: &str| {
        let same = |stage: &&Written| {
            let own = stage.name.as_deref();
            own.is_some_and(|own| own.eq_ignore_ascii_case(name))
        };
        stages.iter().rev().find(same)
    };
    let last = match target {
        Some(target) => named(target)?,
        None => stages.last()?,
    };
    let mut base = last;
    for _ in 0..stages.len() {
        match named(&base.base) {
            Some(below) if !std::ptr::eq(below, base) => base = below,
            _ => break,
        }
    }
    Some(Stage { base: base.base.clone(), serves: last.serves })
}

fn stages(text: &str) -> Vec<Written> {
    let mut stages: Vec<Written> = Vec::new();
    for line in text.lines().map(str::trim) {
        let mut words = line.split_whitespace();
        let Some(instruction) = words.next() else {
            continue;
        };
        match instruction.to_ascii_uppercase().as_str() {
            "FROM" => {
                let mut words = words.filter(|word| !word.starts_with("--"));
                let Some(base) = words.next() else { continue };
                let name = words.nth(1).map(str::to_owned);
                stages.push(Written { name, base: base.to_owned(), serves: Serves::Nothing });
            }
            "COPY" | "ADD" => {
                let pages = line.contains("--from=") || line.contains("/html");
                if let (true, Some(stage)) = (pages, stages.last_mut()) {
                    stage.serves = Serves::Files;
                }
            }
            _ => {}
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_final_stage_and_what_it_stands_on() {
        let text = "# c\nFROM --platform=x node:18 AS build\nRUN x\nfrom nginx:alpine as web\nCOPY --from=build /a /b\n\
                    FROM web\nEXPOSE 80\n";
        let stage_of = |target| stage(text, target).unwrap();
        assert_eq!(stage_of(None).base, "nginx:alpine");
        assert_eq!(stage_of(None).serves, Serves::Nothing);
        assert_eq!(stage_of(Some("web")).serves, Serves::Files);
        assert_eq!(stage_of(Some("build")).base, "node:18");
        assert_eq!(stage("RUN x\n", None), None);
        assert_eq!(stage("FROM a AS a\n", None).unwrap().base, "a");
    }
}
