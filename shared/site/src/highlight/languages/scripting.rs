//! Languages for scripts and the web's servers: Python, Ruby, PHP, Perl, Lua and their like.

use crate::highlight::class::Class::{
    Builtin, Constant, Decorator, Keyword, Preprocessor, Regex, String, Symbol, Type, Variable,
};
use crate::highlight::rule::{
    C_COMMENTS, Fence, HASH_COMMENT, Language, Place, QUOTES, REGEX, WORDS, between, block, exact, fenced, label, line,
    nested, quoted, sigil,
};

pub(super) const PYTHON: Language = Language {
    names: &["python", "py", "python3", "py3", "pyi", "gyp", "sage", "starlark", "bazel", "bzl"],
    words: &[
        (
            Keyword,
            "and as assert async await break case class continue def del elif else except finally for from \
            global if import in is lambda match nonlocal not or pass raise return try type while with yield",
        ),
        (Constant, "True False None Ellipsis NotImplemented __name__ __file__"),
        (Type, "bool bytearray bytes complex dict float frozenset int list object set str tuple"),
        (
            Builtin,
            "abs all any ascii bin breakpoint callable chr classmethod compile delattr dir divmod enumerate eval \
            exec filter format getattr globals hasattr hash help hex id input isinstance issubclass iter len locals \
            map max memoryview min next oct open ord pow print property range repr reversed round self cls setattr \
            slice sorted staticmethod sum super vars zip __import__",
        ),
    ],
    states: &[&[
        HASH_COMMENT,
        &[sigil("@", Decorator).at(Place::LineStart)],
        &[
            between("f\"\"\"", "\"\"\"").multiline().expression("{"),
            between("f'''", "'''").multiline().expression("{"),
            between("f\"", "\"").expression("{"),
            between("f'", "'").expression("{"),
            quoted("\"\"\"").multiline(),
            quoted("'''").multiline(),
        ],
        QUOTES,
        WORDS,
    ]],
    string_prefixes: "r b u f rb br fr rf t",
    ..Language::COMMON
};

pub(super) const RUBY: Language = Language {
    names: &["ruby", "rb", "rake", "gemfile", "podfile", "crystal", "cr", "irb"],
    words: &[
        (
            Keyword,
            "BEGIN END alias and begin break case class def defined? do else elsif end ensure for if in module \
            next not or redo rescue retry return self super then undef unless until when while yield",
        ),
        (Constant, "true false nil __FILE__ __LINE__ __method__"),
        (
            Builtin,
            "attr_accessor attr_reader attr_writer block_given? catch extend fail format freeze include lambda \
            loop p prepend private proc protected public puts print raise rand require require_relative sleep throw",
        ),
    ],
    name_bytes: "?!",
    states: &[&[
        &[block("=begin", "=end").at(Place::Column0), line("#")],
        &[fenced(Fence::Heredoc), REGEX, sigil("@@", Variable), sigil("@", Variable), sigil("$", Variable)],
        &[exact("::", crate::highlight::class::Class::Plain), label(b':', Symbol), sigil(":", Symbol)],
        &[
            between("%w[", "]").raw().multiline(),
            between("%i[", "]").raw().multiline(),
            between("%w(", ")").raw().multiline(),
            between("%q(", ")").multiline(),
            between("%r{", "}").class(Regex),
            quoted("\"").multiline().expression("#{"),
            quoted("`").multiline().expression("#{"),
            quoted("'").multiline(),
        ],
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const PHP: Language = Language {
    names: &["php", "php8", "phtml"],
    words: &[
        (
            Keyword,
            "abstract and as break callable case catch class clone const continue declare default do echo else \
            elseif empty enum extends final finally fn for foreach from function global goto if implements include \
            include_once instanceof insteadof interface isset list match namespace new or print private protected \
            public readonly require require_once return static switch throw trait try unset use var while xor yield",
        ),
        (Type, "array bool float int iterable mixed never object parent self string void"),
        (Constant, "true false null TRUE FALSE NULL __DIR__ __FILE__ __LINE__ __CLASS__ __METHOD__ PHP_EOL"),
    ],
    states: &[&[
        C_COMMENTS,
        &[between("#[", "]").class(Decorator).raw(), line("#")],
        &[exact("<?php", Preprocessor), exact("<?=", Preprocessor), exact("?>", Preprocessor), sigil("$", Variable)],
        &[quoted("\"").multiline().expression("{$").variable(b'$'), quoted("'").multiline()],
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const PERL: Language = Language {
    names: &["perl", "pl", "pm", "raku"],
    words: &[
        (
            Keyword,
            "BEGIN END and cmp continue default do else elsif eq for foreach ge given goto gt if last le local lt \
            my ne next no not or our package redo require return state sub unless until use when while x xor",
        ),
        (
            Builtin,
            "abs bless chomp chop chr close defined delete die each eof exists exit grep hex index int join keys \
            lc length log map oct open ord pop pos print printf push rand read ref reverse rindex say scalar shift \
            sleep sort splice split sprintf sqrt substr system time uc undef unlink unshift values wantarray warn \
            write",
        ),
        (Constant, "__FILE__ __LINE__ __PACKAGE__ STDIN STDOUT STDERR"),
    ],
    states: &[&[
        &[block("=pod", "=cut").at(Place::Column0), block("=head", "=cut").at(Place::Column0), line("#")],
        &[fenced(Fence::Heredoc), REGEX, between("qw(", ")").raw().multiline(), between("qr/", "/").class(Regex)],
        &[sigil("$", Variable), sigil("@", Variable), sigil("%", Variable), exact("$_", Variable)],
        &[quoted("\"").multiline().variable(b'$'), quoted("'").multiline(), quoted("`").multiline()],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const LUA: Language = Language {
    names: &["lua", "luau", "moonscript"],
    words: &[
        (
            Keyword,
            "and break continue do else elseif end for function goto if in local not or repeat return then until \
            while",
        ),
        (Constant, "true false nil"),
        (
            Builtin,
            "assert collectgarbage dofile error getmetatable ipairs load loadfile next pairs pcall print rawequal \
            rawget rawset require select self setmetatable tonumber tostring type unpack xpcall coroutine debug io \
            math os string table utf8",
        ),
    ],
    states: &[&[&[block("--[[", "]]"), line("--"), fenced(Fence::Lua)], QUOTES, WORDS]],
    ..Language::COMMON
};

pub(super) const R: Language = Language {
    names: &["r", "rlang", "rscript"],
    words: &[
        (Keyword, "break else for function if in next repeat return while"),
        (Constant, "TRUE FALSE NULL NA NA_integer_ NA_real_ NA_character_ Inf NaN T F"),
        (Builtin, "c library require list data.frame matrix print paste cat length names apply lapply sapply"),
    ],
    name_bytes: ".",
    name_starts: ".",
    states: &[&[HASH_COMMENT, QUOTES, &[quoted("`").raw()], WORDS]],
    ..Language::COMMON
};

pub(super) const JULIA: Language = Language {
    names: &["julia", "jl"],
    words: &[
        (
            Keyword,
            "abstract baremodule begin break catch const continue do else elseif end export finally for function \
            global if import in isa let local macro module mutable primitive public quote return struct try type using \
            where while",
        ),
        (Constant, "true false nothing missing NaN Inf pi im"),
        (Builtin, "println print push! length map filter reduce sum typeof zeros ones"),
    ],
    name_bytes: "!",
    states: &[&[
        &[nested("#=", "=#"), line("#"), sigil("@", Decorator), sigil(":", Symbol).at(Place::AfterSpace)],
        &[
            quoted("\"\"\"").multiline().expression("$(").variable(b'$'),
            quoted("\"").multiline().expression("$(").variable(b'$'),
            crate::highlight::rule::CHARACTER,
            quoted("`"),
        ],
        WORDS,
    ]],
    capitalised: Type,
    string_prefixes: "r b raw",
    ..Language::COMMON
};

pub(super) const ELIXIR: Language = Language {
    names: &["elixir", "ex", "exs", "heex"],
    words: &[
        (
            Keyword,
            "after alias and case catch cond def defdelegate defexception defguard defimpl defmacro defmacrop \
            defmodule defp defprotocol defstruct do else end fn for if import in not or quote raise receive require \
            rescue throw try unless unquote use when with",
        ),
        (Constant, "true false nil __MODULE__ __ENV__"),
    ],
    name_bytes: "?!",
    states: &[&[
        HASH_COMMENT,
        &[sigil("@", Decorator), label(b':', Symbol), sigil(":", Symbol), REGEX.at(Place::AfterSpace)],
        &[
            quoted("\"\"\"").multiline().expression("#{"),
            quoted("\"").multiline().expression("#{"),
            between("~r/", "/").class(Regex),
            between("~w(", ")"),
            between("~s(", ")"),
            quoted("'").expression("#{"),
        ],
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const MATLAB: Language = Language {
    names: &["matlab", "octave", "m"],
    words: &[
        (
            Keyword,
            "break case catch classdef continue else elseif end endfunction endif events for function global if \
            methods otherwise parfor persistent properties return spmd switch try until unwind_protect while",
        ),
        (Constant, "true false pi eps Inf NaN ans"),
        (Builtin, "disp fprintf printf length linspace numel ones plot rand size sum zeros"),
    ],
    states: &[&[
        &[block("%{", "%}").at(Place::Column0), line("%"), line("...")],
        &[
            line("#").at(Place::LineStart),
            quoted("\"").raw().doubled(),
            quoted("'").raw().doubled().at(Place::Expression),
        ],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const VIM: Language = Language {
    names: &["vim", "viml", "vimscript", "vimrc"],
    words: &[
        (
            Keyword,
            "autocmd augroup call catch colorscheme command continue break def echo echom echomsg else elseif end \
            enddef endfor endfunction endif endtry endwhile execute export filetype finally finish for function \
            highlight hi if import in inoremap nnoremap vnoremap xnoremap noremap map nmap imap vmap let const normal \
            plug return runtime set setlocal silent source syntax throw try unlet while",
        ),
        (Constant, "v:true v:false v:null"),
    ],
    name_bytes: ":#!",
    states: &[&[
        &[line("\"").at(Place::LineStart), sigil("&", Variable), sigil("@", Variable), sigil("<", Symbol)],
        &[quoted("\""), quoted("'").raw().doubled()],
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const ERLANG: Language = Language {
    names: &["erlang", "erl", "hrl"],
    words: &[
        (
            Keyword,
            "after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not \
            of or orelse receive rem try when xor",
        ),
        (Constant, "true false undefined ok error"),
    ],
    name_bytes: "@",
    capitalised: Variable,
    states: &[&[
        &[line("%"), sigil("-", Preprocessor).at(Place::Column0), sigil("?", Constant)],
        &[quoted("\"").multiline(), quoted("'").class(String)],
        WORDS,
    ]],
    ..Language::COMMON
};
