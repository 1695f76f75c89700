//! Where a task runs: on this machine if it has what the task needs or can install it, else in a container.

/// Where a task runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place<Root, Engine> {
    /// Here, where nothing is missing.
    Here,
    /// Here, once what is missing is installed in the name of root.
    HereAfterInstalling(Root),
    /// In a container, and why.
    Container(Engine, String),
}

/// Chooses. `asked` is whether somebody asked for a container. What is not needed for the choice is not tried; what was
/// tried in vain says why.
pub(crate) fn choose<Root, Engine>(
    asked: bool,
    is_complete: bool,
    root: impl FnOnce() -> Result<Root, String>,
    engine: impl FnOnce() -> Result<Engine, String>,
) -> Result<Place<Root, Engine>, String> {
    if asked {
        let engine = engine().map_err(|why| format!("there is no Docker to run in: {why}"))?;
        return Ok(Place::Container(engine, "--docker asks for it".to_owned()));
    }
    if is_complete {
        return Ok(Place::Here);
    }
    let no_root = match root() {
        Ok(root) => return Ok(Place::HereAfterInstalling(root)),
        Err(why) => why,
    };
    match engine() {
        Ok(engine) => Ok(Place::Container(engine, format!("what is missing can not be installed here: {no_root}"))),
        Err(no_engine) => Err(format!(
            "what is missing can not be installed ({no_root}), and there is no Docker to run in instead ({no_engine})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Result<&str, String> = Ok("sudo");
    const ENGINE: Result<&str, String> = Ok("engine");

    fn none(why: &str) -> Result<&'static str, String> {
        Err(why.to_owned())
    }

    fn must_not_be_tried() -> Result<&'static str, String> {
        panic!("tried without need")
    }

    #[test]
    fn where_nothing_is_missing_neither_root_nor_docker_is_asked_for() {
        assert_eq!(choose(false, true, must_not_be_tried, must_not_be_tried), Ok(Place::Here));
    }

    #[test]
    fn what_is_missing_is_installed_where_that_is_possible_even_if_there_is_docker() {
        assert_eq!(choose(false, false, || ROOT, must_not_be_tried), Ok(Place::HereAfterInstalling("sudo")));
    }

    #[test]
    fn where_nothing_can_be_installed_docker_is_used_and_the_reason_told() {
        let Ok(Place::Container("engine", why)) = choose(false, false, || none("no apt-get"), || ENGINE) else {
            panic!("not in a container")
        };
        assert!(why.contains("no apt-get"), "{why}");
    }

    #[test]
    fn with_neither_way_both_reasons_are_told() {
        let why = choose(false, false, || none("no apt-get"), || none("no daemon")).unwrap_err();
        assert!(why.contains("no apt-get") && why.contains("no daemon"), "{why}");
    }

    #[test]
    fn whoever_asks_for_docker_gets_it_although_nothing_is_missing_or_an_error() {
        for is_complete in [true, false] {
            let place = choose(true, is_complete, must_not_be_tried, || ENGINE);
            assert!(matches!(place, Ok(Place::Container("engine", _))), "{place:?}");
            let why = choose(true, is_complete, must_not_be_tried, || none("no daemon")).unwrap_err();
            assert!(why.contains("no daemon"), "{why}");
        }
    }
}
