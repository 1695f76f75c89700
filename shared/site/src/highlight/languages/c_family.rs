//! C and what looks like it: braces, `//` and `/* */`, types in capitals.

use crate::highlight::class::Class::{Builtin, Constant, Decorator, Keyword, Preprocessor, Regex, String, Type};
use crate::highlight::rule::{
    C_COMMENTS, CHARACTER, Fence, Language, QUOTES, Rule, WORDS, between, directive, fenced, nested, quoted, sigil,
};

/// `#include <…>` and the other directives.
const DIRECTIVES: &[Rule] = &[directive("#")];
const LONG_STRING: &[Rule] = &[quoted("\"\"\"").multiline()];
const ANNOTATIONS: &[Rule] = &[sigil("@", Decorator)];
const CHARACTERS: &[Rule] = &[CHARACTER, quoted("\"")];

const C_WORDS: &str = "auto break case const continue default do else enum extern for goto if inline register restrict \
    return sizeof static struct switch typedef union volatile while _Alignas _Alignof _Atomic _Generic _Noreturn \
    _Static_assert _Thread_local alignas alignof static_assert thread_local typeof constexpr";
const C_TYPES: &str = "char double float int long short signed unsigned void bool _Bool size_t ssize_t ptrdiff_t \
    int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t wchar_t FILE";

pub(super) const C: Language = Language {
    names: &["c", "h"],
    words: &[(Keyword, C_WORDS), (Type, C_TYPES), (Constant, "NULL true false nullptr stdin stdout stderr")],
    states: &[&[C_COMMENTS, DIRECTIVES, CHARACTERS, WORDS]],
    string_prefixes: "L u U u8",
    ..Language::COMMON
};

pub(super) const CPP: Language = Language {
    names: &["cpp", "c++", "cc", "cxx", "hpp", "hxx", "hh", "arduino", "cuda", "glsl", "hlsl"],
    words: &[
        (Keyword, C_WORDS),
        (
            Keyword,
            "and and_eq asm bitand bitor catch class compl concept consteval constinit const_cast co_await \
            co_return co_yield decltype delete dynamic_cast explicit export final friend import module mutable \
            namespace new noexcept not not_eq operator or or_eq override private protected public \
            reinterpret_cast requires static_cast template this throw try typeid typename using virtual xor xor_eq",
        ),
        (Type, C_TYPES),
        (
            Type,
            "char8_t char16_t char32_t string string_view vector map unordered_map set unique_ptr shared_ptr \
            optional variant pair tuple array",
        ),
        (Constant, "NULL true false nullptr"),
        (Builtin, "std cout cin cerr endl"),
    ],
    states: &[&[C_COMMENTS, DIRECTIVES, &[fenced(Fence::Cpp)], CHARACTERS, WORDS]],
    string_prefixes: "L u U u8",
    ..Language::COMMON
};

pub(super) const OBJECTIVE_C: Language = Language {
    names: &["objective-c", "objectivec", "objc", "obj-c", "mm"],
    words: &[
        (Keyword, C_WORDS),
        (
            Keyword,
            "self super in out inout bycopy byref oneway nonatomic atomic strong weak assign copy readonly \
            readwrite nullable nonnull",
        ),
        (Type, C_TYPES),
        (Type, "id instancetype BOOL SEL IMP Class NSInteger NSUInteger CGFloat"),
        (Constant, "nil Nil NULL YES NO true false"),
    ],
    states: &[&[C_COMMENTS, DIRECTIVES, &[sigil("@", Keyword), between("@\"", "\"")], CHARACTERS, WORDS]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const CSHARP: Language = Language {
    names: &["csharp", "c#", "cs", "dotnet"],
    words: &[
        (
            Keyword,
            "abstract add alias as async await base break case catch checked class const continue default \
            delegate do else enum event explicit extern finally fixed for foreach from get global goto group if \
            implicit in init interface internal into is join let lock nameof namespace new not operator orderby out \
            override params partial private protected public readonly record ref remove required return sealed select \
            set sizeof stackalloc static struct switch this throw try typeof unchecked unsafe using value var virtual \
            volatile when where while with yield and or",
        ),
        (
            Type,
            "bool byte char decimal double dynamic float int long nint nuint object sbyte short string uint ulong \
            ushort void",
        ),
        (Constant, "true false null"),
    ],
    states: &[&[
        C_COMMENTS,
        DIRECTIVES,
        LONG_STRING,
        &[
            between("$@\"", "\"").doubled().multiline().expression("{"),
            between("@$\"", "\"").doubled().multiline().expression("{"),
            between("$\"", "\"").expression("{"),
            between("@\"", "\"").doubled().multiline(),
        ],
        CHARACTERS,
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const JAVA: Language = Language {
    names: &["java"],
    words: &[
        (
            Keyword,
            "abstract assert break case catch class const continue default do else enum exports extends final \
            finally for goto if implements import instanceof interface module native new non-sealed opens package \
            permits private protected provides public record requires return sealed static strictfp super switch \
            synchronized this throw throws to transient try uses var volatile when while with yield",
        ),
        (Type, "boolean byte char double float int long short void"),
        (Constant, "true false null"),
    ],
    states: &[&[C_COMMENTS, LONG_STRING, ANNOTATIONS, CHARACTERS, WORDS]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const KOTLIN: Language = Language {
    names: &["kotlin", "kt", "kts"],
    words: &[
        (
            Keyword,
            "abstract actual annotation as break by catch class companion const constructor continue \
            crossinline data delegate do dynamic else enum expect external field file final finally for fun get if \
            import in infix init inline inner interface internal is lateinit noinline object open operator out \
            override package param private property protected public receiver reified return sealed set super \
            suspend tailrec this throw try typealias typeof val var vararg when where while",
        ),
        (Constant, "true false null"),
        (Builtin, "it"),
    ],
    states: &[&[
        &[nested("/*", "*/")],
        C_COMMENTS,
        ANNOTATIONS,
        &[
            quoted("\"\"\"").raw().multiline().expression("${").variable(b'$'),
            quoted("\"").expression("${").variable(b'$'),
            CHARACTER,
        ],
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const SCALA: Language = Language {
    names: &["scala", "sc", "sbt"],
    words: &[
        (
            Keyword,
            "abstract case catch class def derives do else end enum export extends extension final finally for \
            forSome given if implicit import inline infix lazy macro match new object opaque open override package \
            private protected return sealed super then this throw trait transparent try type using val var while with \
            yield",
        ),
        (Constant, "true false null None Nil"),
    ],
    states: &[&[
        &[nested("/*", "*/")],
        C_COMMENTS,
        ANNOTATIONS,
        &[quoted("\"\"\"").raw().multiline().expression("${"), quoted("\"").expression("${").variable(b'$'), CHARACTER],
        WORDS,
    ]],
    capitalised: Type,
    string_prefixes: "s f raw",
    ..Language::COMMON
};

pub(super) const GROOVY: Language = Language {
    names: &["groovy", "gradle", "jenkinsfile"],
    words: &[
        (
            Keyword,
            "abstract as assert break case catch class const continue def default do else enum extends final \
            finally for goto if implements import in instanceof interface native new package private protected public \
            return static super switch synchronized this throw throws trait transient try var volatile while",
        ),
        (Type, "boolean byte char double float int long short void"),
        (Constant, "true false null"),
    ],
    states: &[&[
        C_COMMENTS,
        LONG_STRING,
        ANNOTATIONS,
        &[quoted("'''").multiline(), quoted("\"").expression("${").variable(b'$'), quoted("'")],
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const SWIFT: Language = Language {
    names: &["swift"],
    words: &[
        (
            Keyword,
            "actor any as associatedtype async await borrowing break case catch class consuming continue \
            convenience default defer deinit didSet do dynamic else enum extension fallthrough fileprivate final for \
            func get guard if import in indirect infix init inout internal is isolated lazy let macro mutating \
            nonisolated nonmutating open operator optional override package postfix precedencegroup prefix private \
            protocol public repeat required rethrows return self Self set some static struct subscript super switch \
            throw throws try typealias unowned var weak where while willSet yield",
        ),
        (Constant, "true false nil"),
    ],
    states: &[&[
        &[nested("/*", "*/")],
        C_COMMENTS,
        &[sigil("@", Decorator), sigil("#", Preprocessor)],
        &[quoted("\"\"\"").multiline().expression("\\("), quoted("\"").expression("\\(")],
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const DART: Language = Language {
    names: &["dart", "flutter"],
    words: &[
        (
            Keyword,
            "abstract as assert async await base break case catch class const continue covariant default \
            deferred do dynamic else enum export extends extension external factory final finally for get hide if \
            implements import in interface is late library mixin new on operator part required rethrow return sealed \
            set show static super switch sync this throw try type typedef var when while with yield",
        ),
        (Type, "bool double int num void"),
        (Constant, "true false null"),
    ],
    states: &[&[
        C_COMMENTS,
        ANNOTATIONS,
        &[
            quoted("\"\"\"").multiline().expression("${").variable(b'$'),
            quoted("'''").multiline().expression("${").variable(b'$'),
            quoted("\"").expression("${").variable(b'$'),
            quoted("'").expression("${").variable(b'$'),
        ],
        WORDS,
    ]],
    capitalised: Type,
    string_prefixes: "r",
    ..Language::COMMON
};

pub(super) const SOLIDITY: Language = Language {
    names: &["solidity", "sol"],
    words: &[
        (
            Keyword,
            "abstract anonymous as assembly break calldata case catch constant constructor continue contract \
            default delete do else emit enum error event external fallback final for from function if immutable import \
            indexed interface internal is let library mapping memory modifier new override payable pragma private \
            public pure receive return returns revert storage struct switch try type unchecked using view virtual \
            while",
        ),
        (
            Type,
            "address bool byte bytes bytes4 bytes20 bytes32 int int8 int128 int256 string uint uint8 uint16 uint32 \
            uint64 uint128 uint256 var",
        ),
        (Constant, "true false wei gwei ether seconds minutes hours days weeks"),
        (Builtin, "msg block tx abi this super now require assert keccak256"),
    ],
    states: &[&[C_COMMENTS, QUOTES, WORDS]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const PROTOBUF: Language = Language {
    names: &["protobuf", "proto", "proto3"],
    words: &[
        (
            Keyword,
            "edition enum extend extensions group import map max message oneof option optional package public \
            repeated required reserved returns rpc service stream syntax to weak",
        ),
        (
            Type,
            "bool bytes double fixed32 fixed64 float int32 int64 sfixed32 sfixed64 sint32 sint64 string uint32 \
            uint64",
        ),
        (Constant, "true false inf nan"),
    ],
    states: &[&[C_COMMENTS, QUOTES, WORDS]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const AWK: Language = Language {
    names: &["awk", "gawk"],
    words: &[
        (
            Keyword,
            "BEGIN END BEGINFILE ENDFILE break case continue default delete do else exit for func function \
            getline if in next nextfile print printf return switch while",
        ),
        (Builtin, "ARGC ARGV CONVFMT ENVIRON FILENAME FNR FS NF NR OFMT OFS ORS RLENGTH RS RSTART SUBSEP"),
    ],
    states: &[&[
        crate::highlight::rule::HASH_COMMENT,
        &[sigil("$", crate::highlight::class::Class::Variable), crate::highlight::rule::REGEX.class(Regex)],
        &[quoted("\"").class(String)],
        WORDS,
    ]],
    ..Language::COMMON
};
