//! What is typed at a prompt, and the files that describe machines.

use crate::highlight::class::Class::{Attribute, Builtin, Constant, Keyword, Plain, Prompt, Symbol, Type, Variable};
use crate::highlight::rule::{
    Fence, HASH_COMMENT, Language, Place, QUOTES, Rule, Then, WORDS, between, block, exact, fenced, label, line,
    quoted, sigil,
};

const SHELL_WORDS: &[(crate::highlight::class::Class, &str)] = &[
    (Keyword, "case coproc do done elif else esac fi for function if in select then time until while"),
    (
        Builtin,
        "alias bg bind break builtin caller cd command complete continue declare dirs disown echo enable eval exec \
        exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read \
        readonly return set shift shopt source sudo suspend test trap true type typeset ulimit umask unalias unset wait",
    ),
];
const SHELL_RULES: &[Rule] = &[
    line("#").at(Place::AfterSpace),
    fenced(Fence::Heredoc),
    between("${", "}").class(Variable).raw(),
    between("$'", "'"),
    sigil("$", Variable),
    exact("$?", Variable),
    exact("$@", Variable),
    exact("$#", Variable),
    exact("$!", Variable),
    exact("$$", Variable),
    exact("$*", Variable),
    quoted("\"").multiline().expression("${").variable(b'$'),
    quoted("'").raw().multiline(),
    sigil("--", Attribute).at(Place::AfterSpace),
    sigil("-", Attribute).at(Place::AfterSpace),
    label(b'=', Variable).at(Place::LineStart),
];

pub(super) const BASH: Language = Language {
    names: &[
        "bash",
        "sh",
        "shell",
        "zsh",
        "ksh",
        "fish",
        "dash",
        "ash",
        "bats",
        "shellscript",
        "envrc",
        "dotenv",
        "env",
    ],
    words: SHELL_WORDS,
    name_bytes: "-",
    states: &[&[SHELL_RULES, WORDS]],
    ..Language::COMMON
};

/// What was typed behind a prompt, and what came back.
pub(super) const CONSOLE: Language = Language {
    names: &[
        "console",
        "shell-session",
        "shellsession",
        "sh-session",
        "terminal",
        "bash-session",
        "powershell-session",
    ],
    words: SHELL_WORDS,
    name_bytes: "-",
    states: &[
        &[&[
            exact("$ ", Prompt).at(Place::Column0).then(Then::Push(1)),
            exact("# ", Prompt).at(Place::Column0).then(Then::Push(1)),
            exact("% ", Prompt).at(Place::Column0).then(Then::Push(1)),
            exact("> ", Prompt).at(Place::Column0).then(Then::Push(1)),
            exact("PS>", Prompt).at(Place::Column0).then(Then::Push(1)),
        ]],
        &[&[exact("\\\n", Plain), exact("\n", Plain).then(Then::Pop)], SHELL_RULES, WORDS],
    ],
    ..Language::COMMON
};

pub(super) const POWERSHELL: Language = Language {
    names: &["powershell", "pwsh", "ps1", "ps", "psm1"],
    words: &[
        (
            Keyword,
            "begin break catch class continue data default do dynamicparam else elseif end enum exit filter finally \
            for foreach from function hidden if in param process return static switch throw trap try until using while",
        ),
        (
            Attribute,
            "-and -as -band -bor -ccontains -ceq -clike -cmatch -cne -contains -eq -f -ge -gt -in -is -isnot -join \
            -le -like -lt -match -ne -not -notcontains -notin -notlike -notmatch -or -replace -split",
        ),
    ],
    name_bytes: "-",
    any_case: true,
    states: &[&[
        &[block("<#", "#>"), line("#")],
        &[
            between("@\"", "\n\"@").escaped_by(b'`').multiline().expression("$(").variable(b'$'),
            between("@'", "\n'@").raw().multiline(),
            quoted("\"").escaped_by(b'`').multiline().expression("$(").variable(b'$'),
            quoted("'").doubled().multiline(),
            between("${", "}").class(Variable).raw(),
            between("[", "]").class(Type).raw(),
            sigil("$", Variable),
            sigil("-", Attribute).at(Place::AfterSpace),
        ],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const BATCH: Language = Language {
    names: &["batch", "bat", "cmd", "dos"],
    words: &[
        (
            Keyword,
            "call do else exist exit for goto if in not defined errorlevel equ neq lss leq gtr geq setlocal endlocal",
        ),
        (
            Builtin,
            "assoc attrib cd chdir cls copy date del dir echo erase find md mkdir more move path pause popd prompt \
            pushd rd ren rename rmdir set shift start time title type ver xcopy",
        ),
    ],
    any_case: true,
    called: Plain,
    states: &[&[
        &[line("::").at(Place::LineStart), line("REM ").at(Place::LineStart), line("rem ").at(Place::LineStart)],
        &[between("%", "%").class(Variable).raw(), sigil("%", Variable), sigil(":", Symbol).at(Place::LineStart)],
        &[quoted("\"").raw()],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const DOCKERFILE: Language = Language {
    names: &["dockerfile", "docker", "containerfile"],
    words: &[(
        Keyword,
        "ADD ARG AS CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL \
        STOPSIGNAL USER VOLUME WORKDIR",
    )],
    name_bytes: "-",
    called: Plain,
    states: &[&[
        &[line("#").at(Place::LineStart), fenced(Fence::Heredoc)],
        &[
            between("${", "}").class(Variable).raw(),
            sigil("$", Variable),
            sigil("--", Attribute).at(Place::AfterSpace),
            quoted("\"").expression("${").variable(b'$'),
            quoted("'").raw(),
        ],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const NGINX: Language = Language {
    names: &["nginx", "nginxconf", "apache", "apacheconf", "htaccess", "caddyfile", "caddy"],
    words: &[
        (
            Keyword,
            "http server location upstream events stream if map types geo limit_except return rewrite include set \
            break internal",
        ),
        (Constant, "on off default any all auto"),
    ],
    called: Plain,
    states: &[&[
        HASH_COMMENT,
        &[sigil("</", Keyword), sigil("<", Keyword), sigil("$", Variable)],
        QUOTES,
        &[crate::highlight::rule::key(b' ', Attribute).at(Place::LineStart)],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const HCL: Language = Language {
    names: &["hcl", "terraform", "tf", "tfvars", "opentofu"],
    words: &[
        (
            Keyword,
            "check data dynamic for if import in locals module moved output provider removed resource terraform \
            variable",
        ),
        (Constant, "true false null"),
        (Type, "any bool list map number object set string tuple"),
        (Builtin, "each local path self var count"),
    ],
    name_bytes: "-",
    states: &[&[
        HASH_COMMENT,
        crate::highlight::rule::C_COMMENTS,
        &[fenced(Fence::Heredoc), quoted("\"").expression("${"), label(b'=', Attribute)],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const NIX: Language = Language {
    names: &["nix", "nixos"],
    words: &[
        (Keyword, "assert else if in inherit let or rec then with"),
        (Constant, "true false null"),
        (Builtin, "abort builtins derivation fetchTarball import map throw toString"),
    ],
    name_bytes: "-'",
    states: &[&[
        &[line("#"), block("/*", "*/")],
        &[
            between("''", "''").raw().multiline().expression("${"),
            quoted("\"").multiline().expression("${"),
            between("${", "}").class(Variable).raw(),
            label(b'=', Attribute),
        ],
        WORDS,
    ]],
    ..Language::COMMON
};
