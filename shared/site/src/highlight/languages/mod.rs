//! The languages, as data, by family.
//!
//! To add one, describe it as a constant in the file of its family, and name it here and in a sample of
//! `tests/fixtures/highlight`. Words are those of the language's own reference; what is not listed stays plain.

mod c_family;
mod data;
mod functional;
mod scripting;
mod shell;
mod systems;
mod web;

use super::rule::Language;

/// Every language that is known.
pub(super) static LANGUAGES: [&Language; COUNT] = [
    &c_family::AWK,
    &c_family::C,
    &c_family::CPP,
    &c_family::CSHARP,
    &c_family::DART,
    &c_family::GROOVY,
    &c_family::JAVA,
    &c_family::KOTLIN,
    &c_family::OBJECTIVE_C,
    &c_family::PROTOBUF,
    &c_family::SCALA,
    &c_family::SOLIDITY,
    &c_family::SWIFT,
    &data::DIFF,
    &data::FORTRAN,
    &data::INI,
    &data::JSON,
    &data::LATEX,
    &data::MARKDOWN,
    &data::PASCAL,
    &data::REGEX_LANGUAGE,
    &data::SQL,
    &data::TEXT,
    &data::TOML,
    &data::YAML,
    &functional::CLOJURE,
    &functional::ELM,
    &functional::FSHARP,
    &functional::HASKELL,
    &functional::LISP,
    &functional::OCAML,
    &functional::PROLOG,
    &scripting::ELIXIR,
    &scripting::ERLANG,
    &scripting::JULIA,
    &scripting::LUA,
    &scripting::MATLAB,
    &scripting::PERL,
    &scripting::PHP,
    &scripting::PYTHON,
    &scripting::R,
    &scripting::RUBY,
    &scripting::VIM,
    &shell::BASH,
    &shell::BATCH,
    &shell::CONSOLE,
    &shell::DOCKERFILE,
    &shell::HCL,
    &shell::NGINX,
    &shell::NIX,
    &shell::POWERSHELL,
    &systems::ASSEMBLY,
    &systems::CMAKE,
    &systems::GO,
    &systems::MAKEFILE,
    &systems::NIM,
    &systems::RUST,
    &systems::VERILOG,
    &systems::VHDL,
    &systems::WASM,
    &systems::ZIG,
    &web::CSS,
    &web::GRAPHQL,
    &web::HTML,
    &web::HTTP,
    &web::JAVASCRIPT,
    &web::TEMPLATE,
    &web::TYPESCRIPT,
    &web::XML,
];

/// How many they are.
const COUNT: usize = 69;
