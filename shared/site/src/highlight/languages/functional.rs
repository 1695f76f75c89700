//! Languages of functions and of logic.

use crate::highlight::class::Class::{
    Attribute, Builtin, Constant, Decorator, Keyword, Plain, Preprocessor, Symbol, Type, Variable,
};
use crate::highlight::rule::{
    CHARACTER, Language, Place, Rule, WORDS, between, directive, exact, line, nested, quoted, sigil,
};

pub(super) const HASKELL: Language = Language {
    names: &["haskell", "hs", "purescript", "purs", "idris", "agda", "lean"],
    words: &[(
        Keyword,
        "as case class data default deriving do else family forall foreign hiding if import in infix infixl \
        infixr instance let mdo module newtype of pattern proc qualified rec then type via where",
    )],
    name_bytes: "'",
    capitalised: Type,
    called: Plain,
    states: &[&[
        &[between("{-#", "#-}").class(Preprocessor).raw().multiline(), nested("{-", "-}"), line("--")],
        &[CHARACTER, quoted("\"")],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const ELM: Language = Language {
    names: &["elm"],
    words: &[(Keyword, "alias as case else exposing if import in infix let module of port then type where")],
    capitalised: Type,
    called: Plain,
    states: &[&[&[nested("{-", "-}"), line("--"), quoted("\"\"\"").multiline(), quoted("\""), CHARACTER], WORDS]],
    ..Language::COMMON
};

pub(super) const OCAML: Language = Language {
    names: &["ocaml", "ml", "mli", "reason", "reasonml", "rescript", "sml"],
    words: &[
        (
            Keyword,
            "and as assert asr begin class constraint do done downto else end exception external for fun function \
            functor if in include inherit initializer land lazy let lor lsl lsr lxor match method mod module mutable new \
            nonrec object of open or private rec sig struct then to try type val virtual when while with",
        ),
        (Type, "array bool bytes char exn float format int list option ref result string unit"),
        (Constant, "true false None"),
    ],
    name_bytes: "'",
    capitalised: Type,
    called: Plain,
    states: &[&[
        &[nested("(*", "*)"), CHARACTER, quoted("\"").multiline(), sigil("'", Type), sigil("~", Attribute)],
        &[between("[@", "]").class(Decorator).raw()],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const FSHARP: Language = Language {
    names: &["fsharp", "f#", "fs", "fsx"],
    words: &[
        (
            Keyword,
            "abstract and as assert async base begin class default delegate do done downcast downto elif else end \
            exception extern finally for fun function global if in inherit inline interface internal lazy let match \
            member module mutable namespace new of open or override private public rec return seq sig static struct task \
            then to try type upcast use val void when while with yield",
        ),
        (Type, "bool byte char decimal double exn float int int64 list obj option seq string unit"),
        (Constant, "true false null None"),
    ],
    name_bytes: "'",
    capitalised: Type,
    states: &[&[
        &[nested("(*", "*)"), line("//"), directive("#"), between("[<", ">]").class(Decorator).raw()],
        &[quoted("\"\"\"").raw().multiline(), between("@\"", "\"").doubled().multiline(), CHARACTER],
        &[quoted("\"").multiline(), sigil("'", Type)],
        WORDS,
    ]],
    string_prefixes: "",
    ..Language::COMMON
};

const LISP_RULES: &[Rule] = &[
    nested("#|", "|#"),
    line(";"),
    quoted("\"").multiline(),
    exact("#t", Constant),
    exact("#f", Constant),
    sigil("#\\", crate::highlight::class::Class::String),
    sigil("\\", crate::highlight::class::Class::String),
    sigil("::", Symbol),
    sigil(":", Symbol),
    sigil("#'", Variable),
];
const LISP_NAMES: &str = "-+*/<>=!?&%$.'#";
const LISP_STARTS: &str = "+*/<>=!?&%$";

pub(super) const LISP: Language = Language {
    names: &[
        "lisp",
        "common-lisp",
        "commonlisp",
        "cl",
        "elisp",
        "emacs-lisp",
        "scheme",
        "scm",
        "racket",
        "rkt",
        "fennel",
        "guile",
    ],
    words: &[
        (
            Keyword,
            "and begin block call/cc case cond cons declare defclass defconst defconstant defgeneric define \
            define-record-type define-syntax defmacro defmethod defpackage defparameter defstruct defun defvar delay do \
            dolist dotimes else error flet for-each handler-case if in-package labels lambda let let* let-syntax \
            let-values letrec letrec* loop macrolet match module multiple-value-bind not or progn prog1 provide quasiquote \
            quote require return return-from set! setf setq struct syntax-rules unless unquote unwind-protect use-package \
            values when while with-open-file",
        ),
        (Constant, "nil t null true false"),
        (
            Builtin,
            "append apply assoc car cdr concat cadr cddr display eq eq? equal equal? format funcall length list map \
            mapcar message newline print reverse string-append vector",
        ),
    ],
    name_bytes: LISP_NAMES,
    name_starts: LISP_STARTS,
    called: Plain,
    states: &[&[LISP_RULES, WORDS]],
    ..Language::COMMON
};

pub(super) const CLOJURE: Language = Language {
    names: &["clojure", "clj", "cljs", "cljc", "edn", "hy"],
    words: &[
        (
            Keyword,
            "and as-> binding case catch comment cond cond-> condp def defmacro defmethod defmulti defn defn- defonce \
            defprotocol defrecord deftype deftest do doall doseq dotimes doto extend-protocol extend-type finally fn for \
            future go if if-let if-not if-some import in-ns let letfn loop monitor-enter new not ns or quote recur refer \
            reify require some-> some->> throw try use var when when-first when-let when-not when-some while with-open -> \
            ->>",
        ),
        (Constant, "nil true false"),
        (
            Builtin,
            "apply assoc assoc-in atom comp concat conj cons constantly count deref dissoc filter first get get-in \
            group-by identity inc dec into keys list map mapv merge name nth partial partition pr print println range \
            reduce remove repeat reset! rest second seq set slurp some sort sort-by str swap! take update update-in vals vec \
            vector zipmap",
        ),
    ],
    name_bytes: LISP_NAMES,
    name_starts: "-+*/<>=!?&%$",
    called: Plain,
    states: &[&[
        &[line(";"), between("#\"", "\"").class(crate::highlight::class::Class::Regex)],
        LISP_RULES,
        &[sigil("^:", Decorator), sigil("^", Decorator)],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const PROLOG: Language = Language {
    names: &["prolog", "pro", "swipl", "datalog"],
    words: &[
        (Keyword, "dynamic discontiguous is mod module rem use_module xor ensure_loaded initialization"),
        (Constant, "true false fail"),
        (
            Builtin,
            "append assert assertz atom bagof call findall forall format functor length member nl nonvar number print \
            retract setof var write writeln",
        ),
    ],
    capitalised: Variable,
    states: &[&[
        &[line("%"), nested("/*", "*/"), exact(":-", Keyword), exact("-->", Keyword), exact("?-", Keyword)],
        &[quoted("\""), quoted("'").class(Symbol), quoted("`"), sigil(":", Symbol).at(Place::AfterSpace)],
        WORDS,
    ]],
    ..Language::COMMON
};
