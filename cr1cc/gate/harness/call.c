/* Calls two bodies of one function on equal inputs and compares all that a caller can see.
   What its parameters are, is data that is generated and linked: SHAPE, PARAMS, MAGIC.

   driver SEED PAIRS   tests; the last lines of the output are the answer
   driver              tests the one input that is given on standard input, in the same lines */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

typedef uint64_t u64;

enum { PAGE = 4096, STACK = 1 << 18, ABOVE = 128, BELOW = 256, NEAR = 64 };
enum { TRIES = 1024, FORCED = 48, BLOCK = 256 };
enum { TICK_US = 100000, PATIENCE = 3, PATIENCE_NEW = 20, HANGS = 3, CPU_SECONDS = 120 };
enum { NOTHING, EQUAL, DIFFERENT, HUNG };
enum { UNCONFINED = 4 }; /* an exit status */

/* ---- what is linked: driver.py writes it ---- */

enum { INTEGERS, BOOLS, FLOATS, POINTER, OBJECTS };
enum { SPAN = 4096, MOST = 32, MOST_POINTERS = 16 };

extern const struct { uint32_t count, pointers, slots, biggest, magics, is_float; u64 mask; } SHAPE;
extern const struct param {
    uint32_t kind, size, place, pointer, element_kind, element_size, length;
    uint32_t constant, restricted, any;
} PARAMS[];
extern const u64 MAGIC[];

/* ---- the call ---- */

struct call { /* the offsets are known to the assembly below */
    u64 function, stack, gp[6];          /*   0 */
    u64 xmm[8][2], garbage[9];           /*  64: rax r10 r11 rbx rbp r12 r13 r14 r15 */
    u64 back, mxcsr, unused;             /* 264 */
    u64 rax, xmm0, saved[6], rsp, flags; /* 288 */
    u64 mxcsr_after, fault;              /* 368 */
} M;

void cr1_original(void), cr1_new(void), cr1_call(void);
extern char cr1_faulted[];

__asm__(
    ".text\n.globl cr1_call\ncr1_call:\n"
    "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp, M+264(%rip)\nldmxcsr M+272(%rip)\nmov M+8(%rip), %rsp\n"
    "movups M+64(%rip), %xmm0\nmovups M+80(%rip), %xmm1\nmovups M+96(%rip), %xmm2\n"
    "movups M+112(%rip), %xmm3\nmovups M+128(%rip), %xmm4\nmovups M+144(%rip), %xmm5\n"
    "movups M+160(%rip), %xmm6\nmovups M+176(%rip), %xmm7\n"
    "movups M+192(%rip), %xmm8\nmovups M+192(%rip), %xmm9\nmovups M+208(%rip), %xmm10\n"
    "movups M+208(%rip), %xmm11\nmovups M+200(%rip), %xmm12\nmovups M+216(%rip), %xmm13\n"
    "movups M+224(%rip), %xmm14\nmovups M+232(%rip), %xmm15\n"
    "mov M+16(%rip), %rdi\nmov M+24(%rip), %rsi\nmov M+32(%rip), %rdx\n"
    "mov M+40(%rip), %rcx\nmov M+48(%rip), %r8\nmov M+56(%rip), %r9\n"
    "mov M+192(%rip), %rax\nmov M+200(%rip), %r10\nmov M+208(%rip), %r11\n"
    "mov M+216(%rip), %rbx\nmov M+224(%rip), %rbp\nmov M+232(%rip), %r12\n"
    "mov M+240(%rip), %r13\nmov M+248(%rip), %r14\nmov M+256(%rip), %r15\n"
    "call *M(%rip)\n"
    "mov %rsp, M+352(%rip)\nmov M+264(%rip), %rsp\nmov %rax, M+288(%rip)\n"
    "movq %xmm0, M+296(%rip)\nmov %rbx, M+304(%rip)\nmov %rbp, M+312(%rip)\n"
    "mov %r12, M+320(%rip)\nmov %r13, M+328(%rip)\nmov %r14, M+336(%rip)\n"
    "mov %r15, M+344(%rip)\npushfq\npop M+360(%rip)\nstmxcsr M+368(%rip)\n"
    "cr1_faulted:\n"
    "mov M+264(%rip), %rsp\ncld\nldmxcsr M+272(%rip)\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static volatile int in_call, patience, ticks;
static char *stack; /* what the bodies run on; its last ABOVE bytes are the caller's */

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)info;
    if (number == SIGVTALRM && (!in_call || ++ticks < patience))
        return;
    if (!in_call)
        syscall(SYS_exit, 3);
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    M.fault = (u64)number;
    registers[REG_RIP] = (greg_t)(intptr_t)cr1_faulted;
    registers[REG_EFL] &= ~(greg_t)0x500; /* direction and trap */
}

