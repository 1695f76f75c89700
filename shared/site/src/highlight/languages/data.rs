//! Data, settings and queries.

use crate::highlight::class::Class::{
    Attribute, Builtin, Comment, Constant, Decorator, Deleted, Function, Heading, Hunk, Inserted, Keyword, Plain,
    Preprocessor, String, Symbol, Tag, Type, Variable,
};
use crate::highlight::rule::{
    C_COMMENTS, Fence, Language, Place, QUOTES, Rule, WORDS, between, block, exact, fenced, key, label, line, quoted,
    sigil,
};

pub(super) const JSON: Language = Language {
    names: &["json", "json5", "jsonc", "jsonl", "ndjson", "geojson", "webmanifest", "json-ld", "jsonnet"],
    words: &[
        (Constant, "true false null Infinity NaN"),
        (Keyword, "local function import if then else for in self super"),
    ],
    called: Plain,
    states: &[&[C_COMMENTS, &[quoted("\"").or_key(), quoted("'").or_key(), label(b':', Attribute)], WORDS]],
    ..Language::COMMON
};

pub(super) const YAML: Language = Language {
    names: &["yaml", "yml", "docker-compose", "ansible", "helm", "k8s", "openapi", "cff"],
    words: &[(Constant, "true false null yes no on off True False Null Yes No On Off TRUE FALSE NULL")],
    name_bytes: "-.",
    called: Plain,
    states: &[&[
        &[line("#").at(Place::AfterSpace), line("%").at(Place::Column0).class(Preprocessor)],
        &[exact("---", Preprocessor).at(Place::Column0), exact("...", Preprocessor).at(Place::Column0)],
        &[
            quoted("\"").multiline().or_key(),
            quoted("'").doubled().multiline().or_key(),
            key(b':', Attribute).at(Place::EntryStart),
            sigil("&", Symbol).at(Place::AfterSpace),
            sigil("*", Symbol).at(Place::AfterSpace),
            sigil("!!", Type),
            sigil("!", Type).at(Place::AfterSpace),
        ],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const TOML: Language = Language {
    names: &["toml"],
    words: &[(Constant, "true false inf nan")],
    name_bytes: "-",
    called: Plain,
    states: &[&[
        &[line("#"), between("[[", "]]").class(Tag).raw().at(Place::Column0)],
        &[between("[", "]").class(Tag).raw().at(Place::Column0)],
        &[quoted("\"\"\"").multiline(), quoted("'''").raw().multiline(), quoted("\""), quoted("'").raw()],
        &[key(b'=', Attribute).at(Place::LineStart), label(b'=', Attribute)],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const INI: Language = Language {
    names: &[
        "ini",
        "cfg",
        "conf",
        "config",
        "properties",
        "systemd",
        "service",
        "editorconfig",
        "gitconfig",
        "desktop",
    ],
    words: &[(Constant, "true false yes no on off")],
    name_bytes: "-",
    any_case: true,
    called: Plain,
    states: &[&[
        &[line("#").at(Place::LineStart), line(";").at(Place::LineStart)],
        &[between("[", "]").class(Tag).raw().at(Place::LineStart), key(b'=', Attribute).at(Place::LineStart)],
        &[key(b':', Attribute).at(Place::LineStart), quoted("\"")],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const SQL: Language = Language {
    names: &[
        "sql",
        "mysql",
        "postgresql",
        "postgres",
        "pgsql",
        "plpgsql",
        "sqlite",
        "sqlite3",
        "tsql",
        "plsql",
        "mariadb",
        "cql",
        "bigquery",
    ],
    words: &[
        (
            Keyword,
            "ADD AFTER ALL ALTER ANALYZE AND ANY AS ASC BEFORE BEGIN BETWEEN BY CASCADE CASE CHECK COLLATE COLUMN \
            COMMENT COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT CURSOR DATABASE DECLARE DEFAULT DELETE DESC DISTINCT DO \
            DROP EACH ELSE ELSIF END EXCEPT EXECUTE EXISTS EXPLAIN FETCH FILTER FOR FOREIGN FROM FULL FUNCTION GRANT GROUP \
            HAVING IF IGNORE ILIKE IMMUTABLE IN INDEX INNER INSERT INTERSECT INTO IS JOIN KEY LANGUAGE LATERAL LEFT LIKE \
            LIMIT LOCK LOOP MATERIALIZED MERGE NATURAL NOT NOTHING OF OFFSET ON ONLY OR ORDER OUTER OVER PARTITION PRAGMA \
            PRIMARY PROCEDURE RAISE RECURSIVE REFERENCES REPLACE RESTRICT RETURN RETURNING RETURNS REVOKE RIGHT ROLLBACK \
            ROW ROWS SAVEPOINT SCHEMA SELECT SEQUENCE SET SHOW SKIP LOCKED STABLE STRICT TABLE TEMP TEMPORARY THEN TO \
            TRANSACTION TRIGGER TRUNCATE TYPE UNION UNIQUE UPDATE USE USING VACUUM VALUES VIEW VIRTUAL VOLATILE WHEN WHERE \
            WHILE WINDOW WITH WITHOUT",
        ),
        (
            Type,
            "ARRAY BIGINT BIGSERIAL BINARY BIT BLOB BOOLEAN BOOL BYTEA CHAR CHARACTER DATE DATETIME DECIMAL DOUBLE \
            ENUM FLOAT INT INTEGER INTERVAL JSON JSONB NUMERIC NVARCHAR PRECISION REAL SERIAL SMALLINT TEXT TIME TIMESTAMP \
            TIMESTAMPTZ TINYINT UUID VARCHAR VARYING",
        ),
        (Constant, "TRUE FALSE NULL UNKNOWN CURRENT_TIMESTAMP CURRENT_DATE CURRENT_TIME"),
        (
            Builtin,
            "ABS AVG CAST COALESCE CONCAT COUNT DENSE_RANK EXTRACT GREATEST LAG LEAD LEAST LENGTH LOWER MAX MIN NOW \
            NULLIF RANK ROUND ROW_NUMBER SUBSTRING SUM TRIM UNNEST UPPER",
        ),
    ],
    any_case: true,
    states: &[&[
        &[line("--"), block("/*", "*/"), line("#").at(Place::LineStart)],
        &[fenced(Fence::Dollar), sigil("$", Variable), sigil("@", Variable), exact("::", Plain), sigil(":", Variable)],
        &[quoted("'").doubled().multiline(), quoted("\"").doubled().class(Symbol), quoted("`").raw().class(Symbol)],
        WORDS,
    ]],
    string_prefixes: "e n x b",
    ..Language::COMMON
};

/// A whole line that begins with this.
const fn line_of(open: &'static str, class: crate::highlight::class::Class) -> Rule {
    line(open).class(class).at(Place::Column0)
}

pub(super) const DIFF: Language = Language {
    names: &["diff", "patch", "udiff"],
    states: &[&[&[
        line_of("+++ ", Heading),
        line_of("--- ", Heading),
        line_of("diff ", Heading),
        line_of("index ", Comment),
        line_of("@@", Hunk),
        line_of("+", Inserted),
        line_of("-", Deleted),
        line_of(">", Inserted),
        line_of("<", Deleted),
        line_of("!", Hunk),
        line_of("\\", Comment),
    ]]],
    ..Language::COMMON
};

pub(super) const REGEX_LANGUAGE: Language = Language {
    names: &["regex", "regexp", "re", "pcre"],
    called: Plain,
    states: &[&[&[
        sigil("(?#", Comment),
        between("[", "]").class(Type),
        exact("(?:", Keyword),
        exact("(?=", Keyword),
        exact("(?!", Keyword),
        exact("(?<", Keyword),
        exact("(", Keyword),
        exact(")", Keyword),
        exact("|", Keyword),
        exact("*", Decorator),
        exact("+", Decorator),
        exact("?", Decorator),
        between("{", "}").class(Decorator).raw(),
        exact("^", Symbol),
        exact("$", Symbol),
        exact("\\\\", crate::highlight::class::Class::Escape),
        sigil("\\", crate::highlight::class::Class::Escape),
    ]]],
    ..Language::COMMON
};

pub(super) const MARKDOWN: Language = Language {
    names: &["markdown", "md", "mdx", "commonmark", "gfm", "qmd"],
    called: Plain,
    states: &[&[&[
        line_of("# ", Heading),
        line_of("## ", Heading),
        line_of("### ", Heading),
        line_of("####", Heading),
        block("<!--", "-->"),
        block("```", "```").class(String),
        block("~~~", "~~~").class(String),
        quoted("`").raw(),
        exact("- ", Keyword).at(Place::LineStart),
        exact("* ", Keyword).at(Place::LineStart),
        exact("+ ", Keyword).at(Place::LineStart),
        exact("> ", Keyword).at(Place::LineStart),
        exact("---", Preprocessor).at(Place::Column0),
        between("**", "**").class(Keyword),
        between("](", ")").class(Attribute).raw(),
        sigil("</", Tag),
        sigil("<", Tag),
    ]]],
    ..Language::COMMON
};

pub(super) const LATEX: Language = Language {
    names: &["latex", "tex", "bibtex", "bib", "context"],
    name_bytes: "*@",
    called: Plain,
    states: &[&[&[
        exact("\\%", Plain),
        exact("\\$", Plain),
        line("%"),
        sigil("\\begin", Keyword),
        exact("\\begin", Keyword),
        exact("\\end", Keyword),
        sigil("\\", Function),
        sigil("@", Keyword),
        quoted("$$").multiline().class(String),
        quoted("$").multiline().class(String),
        exact("&", Symbol),
    ]]],
    ..Language::COMMON
};

pub(super) const FORTRAN: Language = Language {
    names: &["fortran", "f90", "f95", "f03", "f08", "f77"],
    words: &[
        (
            Keyword,
            "allocatable allocate associate block call case class concurrent contains continue cycle deallocate do \
            elemental else elseif end enddo endif entry exit extends final forall format function if implicit import in \
            inout intent interface intrinsic module namelist none nullify only open operator optional out parameter \
            pointer print private procedure program public pure read recursive result return rewind save select \
            sequence stop subroutine target then use value where while write",
        ),
        (Type, "character complex double integer logical precision real type dimension"),
        (Constant, ".true. .false. .and. .or. .not. .eq. .ne. .lt. .le. .gt. .ge."),
    ],
    any_case: true,
    states: &[&[&[line("!")], QUOTES, WORDS]],
    ..Language::COMMON
};

pub(super) const PASCAL: Language = Language {
    names: &["pascal", "delphi", "objectpascal", "freepascal", "pas", "ada"],
    words: &[
        (
            Keyword,
            "absolute abstract and array as asm begin case class const constructor destructor dispinterface div do \
            downto else elsif end except exit exports file finalization finally for function goto if implementation in \
            inherited initialization interface is label library loop mod nil not object of on operator or out overload \
            override package packed private procedure program property protected public published raise record repeat \
            return set shl shr string then threadvar to try type unit until uses var virtual when while with xor",
        ),
        (
            Type,
            "boolean byte cardinal char currency double extended float int64 integer longint longword natural pointer \
            real shortint single smallint tobject variant word",
        ),
        (Constant, "true false"),
        (Builtin, "write writeln read readln length setlength high low inc dec ord chr"),
    ],
    any_case: true,
    states: &[&[
        &[block("{$", "}").class(Preprocessor), block("{", "}"), block("(*", "*)"), line("//"), line("--")],
        &[
            quoted("'").doubled(),
            quoted("\"").doubled(),
            sigil("#", String),
            sigil("$", crate::highlight::class::Class::Number),
        ],
        WORDS,
    ]],
    ..Language::COMMON
};

/// Nothing is coloured, but the language is known.
pub(super) const TEXT: Language = Language {
    names: &["text", "txt", "plain", "plaintext", "none", "output", "log", "ascii"],
    states: &[&[&[]]],
    ..Language::COMMON
};
