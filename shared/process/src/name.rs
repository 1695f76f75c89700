//! What a process is called among its like.

/// The name of the machine, or of the container, and a port that no other process has there. A process that is started
/// again at its place has the same name.
#[must_use]
pub fn name_on_this_machine(port: u16) -> String {
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{machine}:{port}")
}
