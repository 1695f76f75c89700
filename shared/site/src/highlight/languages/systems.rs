//! Languages for systems: Rust, Go, Zig, Nim, assembly and the descriptions of hardware.

use crate::highlight::class::Class::{Builtin, Constant, Decorator, Keyword, Preprocessor, Symbol, Type, Variable};
use crate::highlight::rule::{
    C_COMMENTS, CHARACTER, Fence, HASH_COMMENT, Language, Place, QUOTES, WORDS, between, block, exact, fenced, label,
    line, nested, quoted, sigil,
};

pub(super) const RUST: Language = Language {
    names: &["rust", "rs"],
    words: &[
        (
            Keyword,
            "as async await become box break const continue crate dyn else enum extern fn for gen if impl in let \
            loop macro_rules match mod move mut pub ref return self Self static struct super trait try type union \
            unsafe use where while yield",
        ),
        (Type, "bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize"),
        (Constant, "true false None"),
    ],
    states: &[&[
        &[nested("/*", "*/"), line("//")],
        &[between("#![", "]").class(Decorator).raw(), between("#[", "]").class(Decorator).raw()],
        &[fenced(Fence::Rust), quoted("\"").multiline(), CHARACTER, sigil("'", Symbol)],
        WORDS,
    ]],
    capitalised: Type,
    string_prefixes: "b c",
    ..Language::COMMON
};

pub(super) const GO: Language = Language {
    names: &["go", "golang"],
    words: &[
        (
            Keyword,
            "break case chan const continue default defer else fallthrough for func go goto if import interface \
            map package range return select struct switch type var",
        ),
        (
            Type,
            "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune \
            string uint uint8 uint16 uint32 uint64 uintptr",
        ),
        (Constant, "true false nil iota"),
        (
            Builtin,
            "append cap clear close complex copy delete imag len make max min new panic print println real \
            recover",
        ),
    ],
    states: &[&[C_COMMENTS, &[quoted("`").raw().multiline(), quoted("\""), CHARACTER], WORDS]],
    ..Language::COMMON
};

pub(super) const ZIG: Language = Language {
    names: &["zig"],
    words: &[
        (
            Keyword,
            "addrspace align allowzero and anyframe anytype asm async await break callconv catch comptime const \
            continue defer else enum errdefer error export extern fn for if inline linksection noalias noinline \
            nosuspend opaque or orelse packed pub resume return struct suspend switch test threadlocal try union \
            unreachable usingnamespace var volatile while",
        ),
        (
            Type,
            "anyerror anyopaque bool comptime_float comptime_int f16 f32 f64 f128 i8 i16 i32 i64 i128 isize \
            noreturn type u1 u8 u16 u32 u64 u128 usize void",
        ),
        (Constant, "true false null undefined"),
    ],
    states: &[&[
        &[line("//"), line("\\\\").class(crate::highlight::class::Class::String), sigil("@", Builtin)],
        &[quoted("\""), CHARACTER],
        WORDS,
    ]],
    capitalised: Type,
    ..Language::COMMON
};

pub(super) const NIM: Language = Language {
    names: &["nim", "nimrod"],
    words: &[
        (
            Keyword,
            "addr and as asm bind block break case cast concept const continue converter defer discard distinct \
            div do elif else end enum except export finally for from func if import in include interface is isnot \
            iterator let macro method mixin mod nil not notin object of or out proc ptr raise ref return shl shr \
            static template try tuple type using var when while xor yield",
        ),
        (
            Type,
            "bool char cstring float float32 float64 int int8 int16 int32 int64 seq set string uint uint8 uint16 \
            uint32 uint64 void array",
        ),
        (Constant, "true false nil"),
        (Builtin, "echo len result"),
    ],
    states: &[&[
        &[nested("#[", "]#"), line("#")],
        &[quoted("\"\"\"").raw().multiline(), quoted("\""), CHARACTER],
        &[between("{.", ".}").class(Decorator).raw()],
        WORDS,
    ]],
    capitalised: Type,
    string_prefixes: "r",
    ..Language::COMMON
};

pub(super) const ASSEMBLY: Language = Language {
    names: &["asm", "assembly", "nasm", "x86asm", "gas", "armasm", "s"],
    words: &[
        (
            Keyword,
            "adc add addi and b beq bl bne bx call cmp cmovne dec div fadd fmul idiv imul inc int ja jae jb jbe \
            je jg jge jl jle jmp jne jnz js jz lea leave ldr ldp li loop lw mov movabs movb movl movq movsx movzx mul \
            neg nop not or orr pop push pushq popq ret retq rol ror sal sar sbb shl shr stp str sub subq sw svc \
            syscall test xchg xor addq leaq callq movaps movups pxor",
        ),
        (
            Variable,
            "al ah ax eax rax bl bh bx ebx rbx cl ch cx ecx rcx dl dh dx edx rdx si esi rsi di edi rdi sp esp rsp \
            bp ebp rbp ip eip rip r8 r9 r10 r11 r12 r13 r14 r15 cs ds es fs gs ss lr pc x0 x1 x2 x29 x30 w0 w1 w8 r0 r1 \
            r2 r3 r4 r5 r6 r7 a0 a1 a7 t0 t1 s0 ra xmm0 xmm1 ymm0",
        ),
        (Type, "byte word dword qword ptr db dw dd dq resb resw resd resq equ"),
        (Preprocessor, "section segment global extern bits org times macro endmacro"),
    ],
    any_case: true,
    called: crate::highlight::class::Class::Plain,
    states: &[&[
        &[line(";"), line("//"), block("/*", "*/"), line("#").at(Place::AfterSpace)],
        &[label(b':', Symbol).at(Place::LineStart), sigil(".", Preprocessor), sigil("%", Variable)],
        QUOTES,
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const WASM: Language = Language {
    names: &["wasm", "wat", "wast", "webassembly"],
    words: &[
        (
            Keyword,
            "module func param result local global memory table elem data start import export type mut block \
            loop if then else end br br_if br_table return call call_indirect drop select offset",
        ),
        (Type, "i32 i64 f32 f64 v128 funcref externref"),
    ],
    name_bytes: ".",
    called: crate::highlight::class::Class::Plain,
    states: &[&[&[nested("(;", ";)"), line(";;"), sigil("$", Variable), quoted("\"")], WORDS]],
    ..Language::COMMON
};

pub(super) const VERILOG: Language = Language {
    names: &["verilog", "systemverilog", "sv", "v"],
    words: &[
        (
            Keyword,
            "always always_comb always_ff always_latch and assign automatic begin buf case casex casez class \
            clocking const constraint default defparam disable do else end endcase endclass endfunction endgenerate \
            endinterface endmodule endpackage endproperty endtask enum extends extern final for foreach forever fork \
            function generate genvar if iff import initial inout input inside interface join localparam modport module \
            nand negedge new nor not or output package packed parameter posedge primitive priority property repeat \
            return specify static struct supply0 supply1 task typedef union unique virtual wait while xnor xor",
        ),
        (Type, "bit byte integer int logic longint real realtime reg shortint signed string time tri unsigned wire"),
    ],
    states: &[&[C_COMMENTS, &[sigil("`", Preprocessor), sigil("$", Builtin), quoted("\"")], WORDS]],
    name_bytes: "$",
    ..Language::COMMON
};

pub(super) const VHDL: Language = Language {
    names: &["vhdl", "vhd"],
    words: &[
        (
            Keyword,
            "abs access after alias all and architecture array assert attribute begin block body buffer bus case \
            component configuration constant disconnect downto else elsif end entity exit file for function generate \
            generic group guarded if impure in inertial inout is label library linkage literal loop map mod nand new \
            next nor not null of on open or others out package port postponed procedure process pure range record \
            register reject rem report return rol ror select severity shared signal sla sll sra srl subtype then to \
            transport type unaffected units until use variable wait when while with xnor xor",
        ),
        (
            Type,
            "bit bit_vector boolean character integer natural positive real std_logic std_logic_vector string time \
            signed unsigned",
        ),
        (Constant, "true false"),
    ],
    any_case: true,
    called: crate::highlight::class::Class::Plain,
    states: &[&[&[line("--"), quoted("\"").raw(), CHARACTER], WORDS]],
    ..Language::COMMON
};

pub(super) const MAKEFILE: Language = Language {
    names: &["makefile", "make", "mk", "mf", "gnumake"],
    words: &[(
        Keyword,
        "define else endef endif export ifdef ifeq ifndef ifneq include override private sinclude \
        undefine unexport vpath",
    )],
    called: crate::highlight::class::Class::Plain,
    name_bytes: "-./%",
    name_starts: ".",
    states: &[&[
        HASH_COMMENT,
        &[
            between("$(", ")").class(Variable).raw(),
            between("${", "}").class(Variable).raw(),
            sigil("$", Variable),
            exact("$@", Variable),
            exact("$<", Variable),
            exact("$^", Variable),
            exact("$$", Variable),
            label(b':', crate::highlight::class::Class::Function).at(Place::Column0),
            label(b'=', Variable).at(Place::Column0),
        ],
        QUOTES,
        WORDS,
    ]],
    ..Language::COMMON
};

pub(super) const CMAKE: Language = Language {
    names: &["cmake"],
    words: &[
        (
            Keyword,
            "if elseif else endif foreach endforeach while endwhile function endfunction macro endmacro return \
            break continue block endblock",
        ),
        (
            Constant,
            "ON OFF TRUE FALSE YES NO AND OR NOT STREQUAL MATCHES DEFINED EXISTS PUBLIC PRIVATE INTERFACE \
            REQUIRED VERSION STATIC SHARED",
        ),
    ],
    any_case: true,
    states: &[&[
        &[block("#[[", "]]"), line("#"), between("${", "}").class(Variable).raw()],
        &[quoted("\"").multiline().expression("${")],
        WORDS,
    ]],
    ..Language::COMMON
};
