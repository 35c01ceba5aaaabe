//! The service that copies an agent into a volume: added, kept, or moved to another image.

use std::path::Path;

use super::objection::leading_numbers;
use super::{AgentImages, AgentTemplate, PlannedAgent};
use crate::compose::{ComposeModel, FileSyntax, ReferenceKind};
use crate::edit::yaml::additions::{self, Addition};
use crate::edit::yaml::rename::{Renames, rename};
use crate::error::{Error, ErrorCode, Result};
use crate::plan::{Note, Plan};

/// The planned service that provides an agent.
pub(super) struct AgentSource {
    pub(super) service: String,
    image: String,
    pub(super) volume: String,
    origin: SourceOrigin,
}

/// The origin of an agent service in the planned project.
enum SourceOrigin {
    /// It is added.
    Added,
    /// It is there and stays.
    Kept,
    /// It is there with another image, in another volume.
    Replaced { image: String, volume: String },
}

impl AgentSource {
    /// Finds the service that already provides an agent, or the one to add. An older tag of the published image is
    /// replaced by the usual one; an image from elsewhere only by one that a flag names.
    ///
    /// # Errors
    /// `unsafe-edit` if the service has no volume, or the volume of another image under a name that `init`
    /// does not use.
    pub(super) fn find(
        model: &ComposeModel,
        planned: &PlannedAgent,
        images: &AgentImages,
    ) -> Result<Self> {
        let service = planned.agent.service(planned.library);
        let wanted = images.get(&planned.agent.name).map(String::as_str);
        let image = planned.agent.reference(wanted);
        let volume = planned.agent.volume(planned.library, &image);
        let Some(existing) = model.service(&service) else {
            return Ok(Self { service, image, volume, origin: SourceOrigin::Added });
        };
        let other = |text: String| {
            let hint = format!(
                "remove the service {service} and its volume, then run the same command again"
            );
            Error::new(ErrorCode::UnsafeEdit, text).at(model.place(&existing.name_span)).hint(hint)
        };
        let old = existing.image.clone().unwrap_or_default();
        let mut volumes =
            existing.references.iter().filter(|reference| reference.kind == ReferenceKind::Volume);
        let Some(mounted) = volumes.next().map(|reference| reference.name.clone()) else {
            return Err(other(format!("the service {service} already exists, without a volume")));
        };
        let is_replaced = match wanted {
            Some(wanted) => wanted != old,
            None => is_older(planned.agent, &old),
        };
        if !is_replaced {
            let origin = SourceOrigin::Kept;
            return Ok(Self { service, image: old, volume: mounted, origin });
        }
        if mounted != planned.agent.volume(planned.library, &old) {
            let text =
                format!("the service {service} has the image {old} and a volume of another name");
            return Err(other(text));
        }
        let origin = SourceOrigin::Replaced { image: old, volume: mounted };
        Ok(Self { service, image, volume, origin })
    }

    /// Adds to `plan` what makes it so; a new service goes to the file at `path`.
    pub(super) fn plan(
        &self,
        plan: &mut Plan,
        model: &ComposeModel,
        path: &Path,
        planned: &PlannedAgent,
    ) -> Result<()> {
        match &self.origin {
            SourceOrigin::Kept => Ok(()),
            SourceOrigin::Added => {
                let body = planned.agent.render_service(planned.library, &self.image)?;
                let additions =
                    [("services", &self.service, body), ("volumes", &self.volume, String::new())];
                let additions = additions.map(|(section, key, body)| Addition::Entry {
                    path: vec![section.to_owned()],
                    key: key.clone(),
                    body,
                });
                plan.amend(model, path, |text| additions::add(text, &additions))?;
                additions.iter().for_each(|addition| plan.compose.add(addition));
                Ok(())
            }
            SourceOrigin::Replaced { image, volume } => {
                let names = [(image, &self.image), (volume, &self.volume)];
                let renames: Renames =
                    names.into_iter().map(|(old, new)| (old.clone(), new.clone())).collect();
                let has_old_name =
                    |text: &str| renames.keys().any(|old| text.contains(old.as_str()));
                let files = model
                    .files
                    .iter()
                    .filter(|file| file.syntax == FileSyntax::Compose && has_old_name(&file.text));
                for file in files {
                    plan.amend(model, &file.path, |text| rename(text, &renames))?;
                }
                plan.compose.renamed.extend(renames);
                Ok(())
            }
        }
    }

    /// Returns what the plan says of its image.
    pub(super) fn note(&self) -> Option<Note> {
        let Self { service, image, .. } = self;
        match &self.origin {
            SourceOrigin::Kept => None,
            SourceOrigin::Added => Some(Note::fact(format!("{service} runs the image {image}"))),
            SourceOrigin::Replaced { image: old, volume } => {
                let text = format!(
                    "{service} runs the image {image} in place of {old}; the volume {volume} is left over"
                );
                let hint = format!(
                    "`docker volume ls --filter name={volume}` finds it under its full name, for `docker volume rm`"
                );
                Some(Note::fact(text).hint(hint))
            }
        }
    }
}

/// Returns whether an image is the published one with an older tag.
fn is_older(agent: &AgentTemplate, image: &str) -> bool {
    let tag = image.strip_prefix(&agent.image).and_then(|rest| rest.strip_prefix(':'));
    let version = tag.filter(|tag| !tag.contains('@')).map(leading_numbers);
    version.is_some_and(|version| !version.is_empty() && version < leading_numbers(&agent.tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::agents::find_agent;

    #[test]
    fn only_an_older_tag_of_the_published_image_is_replaced() {
        let agent = find_agent("java").unwrap();
        let image = |tag: &str| format!("{}{tag}", agent.image);
        for (tag, is_replaced) in [
            (":1.32.1", true),
            (":2.9.0", true),
            (":2.9.0-1", true),
            (":2.30.0", false),
            (":2.30.0-2", false),
            (":99.0.0", false),
            (":latest", false),
            ("@sha256:00", false),
            (":2.9.0@sha256:00", false),
            ("", false),
        ] {
            assert_eq!(is_older(agent, &image(tag)), is_replaced, "{tag}");
        }
        assert!(!is_older(agent, "mirror/autoinstrumentation-java:1.0.0"));
    }
}
