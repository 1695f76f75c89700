//! The languages of browsers: scripts, pages, styles and their templates.

use crate::highlight::class::Class::{
    Attribute, Builtin, Constant, Decorator, Escape, Function, Keyword, Number, Plain, Preprocessor, String, Symbol,
    Tag, Type, Variable,
};
use crate::highlight::rule::{
    C_COMMENTS, HASH_COMMENT, Language, NUMBER, Place, QUOTES, REGEX, Rule, Then, WORD, WORDS, between, block, exact,
    label, line, name, quoted, sigil,
};

const JS_WORDS: &str = "as async await break case catch class const continue debugger default delete do else export \
    extends finally for from function get if import in instanceof let new of return set static super switch this throw \
    try typeof var void while with yield";
const JS_CONSTANTS: &str = "true false null undefined NaN Infinity";
const JS_BUILTINS: &str = "console document window globalThis process module exports require Array ArrayBuffer BigInt \
    Boolean Buffer Date Error Function Intl JSON Map Math Number Object Promise Proxy Reflect RegExp Set String Symbol \
    TypeError URL WeakMap WeakSet __dirname __filename";
const JS_STATES: &[&[&[Rule]]] = &[&[
    C_COMMENTS,
    &[line("#!").at(Place::Column0), REGEX, sigil("@", Decorator), sigil("#", Variable)],
    &[quoted("`").multiline().expression("${")],
    QUOTES,
    WORDS,
]];

pub(super) const JAVASCRIPT: Language = Language {
    names: &["javascript", "js", "jsx", "mjs", "cjs", "node", "nodejs", "es6", "ecmascript"],
    words: &[(Keyword, JS_WORDS), (Constant, JS_CONSTANTS), (Builtin, JS_BUILTINS)],
    name_bytes: "$",
    name_starts: "$",
    states: JS_STATES,
    ..Language::COMMON
};

pub(super) const TYPESCRIPT: Language = Language {
    names: &["typescript", "ts", "tsx", "mts", "cts", "astro"],
    words: &[
        (Keyword, JS_WORDS),
        (
            Keyword,
            "abstract asserts declare enum implements infer interface is keyof module namespace override private \
            protected public readonly satisfies type accessor",
        ),
        (Constant, JS_CONSTANTS),
        (Builtin, JS_BUILTINS),
        (Type, "any bigint boolean never number object string symbol unknown"),
    ],
    name_bytes: "$",
    name_starts: "$",
    capitalised: Type,
    states: JS_STATES,
    ..Language::COMMON
};

const COMMENT: &[Rule] =
    &[block("<!--", "-->"), block("<!", ">").class(Preprocessor), block("<?", "?>").class(Preprocessor)];
const TAGS: &[Rule] = &[
    exact("<script", Tag).then(Then::Push(2)),
    exact("<style", Tag).then(Then::Push(3)),
    sigil("</", Tag).then(Then::Push(1)),
    sigil("<", Tag).then(Then::Push(1)),
    sigil("&#", Escape),
    sigil("&", Escape),
];
const ATTRIBUTES: &[Rule] =
    &[quoted("\"").raw().multiline(), quoted("'").raw().multiline(), sigil("=", String), name(Attribute)];
const TAG_END: &[Rule] = &[exact("/>", Tag).then(Then::Pop), exact(">", Tag).then(Then::Pop)];
const SCRIPT_END: &[Rule] = &[exact(">", Tag).then(Then::Embed { language: "javascript", until: "</script" })];
const STYLE_END: &[Rule] = &[exact(">", Tag).then(Then::Embed { language: "css", until: "</style" })];
const MARKUP_NAMES: &str = "-:.@#*";

pub(super) const HTML: Language = Language {
    names: &["html", "xhtml", "htm", "vue", "svelte", "html5", "markup"],
    name_bytes: MARKUP_NAMES,
    name_starts: "@:#*",
    states: &[&[COMMENT, TAGS], &[ATTRIBUTES, TAG_END], &[ATTRIBUTES, SCRIPT_END], &[ATTRIBUTES, STYLE_END]],
    ..Language::COMMON
};

pub(super) const XML: Language = Language {
    names: &["xml", "svg", "rss", "atom", "xsd", "xsl", "xslt", "plist", "mathml", "wsdl", "xaml", "csproj"],
    name_bytes: MARKUP_NAMES,
    states: &[
        &[
            &[block("<![CDATA[", "]]>").class(String)],
            COMMENT,
            &[
                sigil("</", Tag).then(Then::Push(1)),
                sigil("<", Tag).then(Then::Push(1)),
                sigil("&#", Escape),
                sigil("&", Escape),
            ],
        ],
        &[ATTRIBUTES, TAG_END],
    ],
    ..Language::COMMON
};

/// Pages with `{{ … }}` and `{% … %}`.
pub(super) const TEMPLATE: Language = Language {
    names: &[
        "jinja",
        "jinja2",
        "j2",
        "django",
        "twig",
        "liquid",
        "handlebars",
        "hbs",
        "mustache",
        "minijinja",
        "tera",
        "nunjucks",
        "njk",
        "go-template",
        "gotmpl",
        "html+jinja",
        "html+django",
        "erb",
        "ejs",
    ],
    words: &[
        (
            Keyword,
            "and as autoescape block break call capture case continue cycle define do each elif else elsif end \
            endautoescape endblock endcall endcase endfilter endfor endif endmacro endraw endset endunless endwith \
            extends filter for from if import in include is macro not or range raw recursive scoped set super template \
            then unless when with without",
        ),
        (Constant, "true false none null nil True False None"),
    ],
    name_bytes: "-",
    states: &[
        &[
            &[block("{#", "#}"), block("{{!", "}}")],
            &[
                exact("{{", Preprocessor).then(Then::Push(4)),
                exact("{%", Preprocessor).then(Then::Push(4)),
                exact("<%", Preprocessor).then(Then::Push(4)),
            ],
            COMMENT,
            TAGS,
        ],
        TEMPLATE_TAG,
        TEMPLATE_TAG,
        TEMPLATE_TAG,
        &[
            &[
                exact("}}", Preprocessor).then(Then::Pop),
                exact("%}", Preprocessor).then(Then::Pop),
                exact("-%}", Preprocessor).then(Then::Pop),
                exact("%>", Preprocessor).then(Then::Pop),
            ],
            QUOTES,
            &[sigil("$", Variable)],
            WORDS,
        ],
    ],
    ..Language::COMMON
};
const TEMPLATE_TAG: &[&[Rule]] = &[
    &[exact("{{", Preprocessor).then(Then::Push(4)), exact("{%", Preprocessor).then(Then::Push(4))],
    &[quoted("\"").raw().expression("{{"), quoted("'").raw().expression("{{"), sigil("=", String), name(Attribute)],
    TAG_END,
];

pub(super) const CSS: Language = Language {
    names: &["css", "scss", "less", "sass", "postcss", "stylus"],
    words: &[
        (Keyword, "!important !default !global and from in not only or through to"),
        (Constant, "auto currentColor inherit initial none revert transparent unset true false"),
    ],
    name_bytes: "-%",
    name_starts: "!",
    called: Builtin,
    states: &[
        &[
            C_COMMENTS,
            &[
                exact("{", Plain).then(Then::Push(1)),
                sigil("@", Keyword),
                sigil("$", Variable),
                sigil("--", Variable),
                sigil("::", Decorator),
                sigil(":", Decorator),
                sigil(".", Type),
                sigil("#", Type),
                between("[", "]").class(Attribute).raw(),
            ],
            QUOTES,
            &[NUMBER, name(Tag)],
        ],
        &[
            C_COMMENTS,
            &[
                exact("{", Plain).then(Then::Push(1)),
                exact("}", Plain).then(Then::Pop),
                sigil("@", Keyword),
                sigil("$", Variable),
                NUMBER,
                sigil("#", Number),
                sigil(".", Type),
                sigil("::", Decorator),
            ],
            &[sigil("--", Variable), label(b':', Attribute)],
            QUOTES,
            &[WORD],
        ],
    ],
    ..Language::COMMON
};

pub(super) const GRAPHQL: Language = Language {
    names: &["graphql", "gql"],
    words: &[
        (
            Keyword,
            "directive enum extend fragment implements input interface mutation on query repeatable scalar schema \
            subscription type union",
        ),
        (Type, "Boolean Float ID Int String"),
        (Constant, "true false null"),
    ],
    capitalised: Type,
    called: Function,
    states: &[&[
        HASH_COMMENT,
        &[quoted("\"\"\"").multiline(), sigil("$", Variable), sigil("@", Decorator), label(b':', Attribute)],
        QUOTES,
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const HTTP: Language = Language {
    names: &["http", "https", "rest"],
    words: &[(Keyword, "GET POST PUT PATCH DELETE HEAD OPTIONS TRACE CONNECT"), (Constant, "HTTP"), (Symbol, "OK")],
    name_bytes: "-",
    called: Plain,
    states: &[&[HASH_COMMENT, &[label(b':', Attribute).at(Place::Column0), quoted("\"").or_key()], WORDS]],
    ..Language::COMMON
};
