#include "textflag.h"

// The linker would drop runtime.addmoduledata, since only loaded libraries call it.
DATA ·moduleAdder(SB)/8, $runtime·addmoduledata(SB)
GLOBL ·moduleAdder(SB), NOPTR, $8
