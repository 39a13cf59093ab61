/* Computed goto: an interpreter of a small stack machine. */
#include <stdio.h>

enum { PUSH, ADD, MUL, SWAP, JNZ, DUP, DEC, PRINT, HALT };

static long run(const signed char *code) {
    static const void *const labels[] = {&&push, &&add, &&mul, &&swap, &&jnz, &&dup, &&dec, &&print, &&halt};
    long stack[32], *top = stack;
    const signed char *pc = code;
#define NEXT goto *labels[*pc++]
    NEXT;
push: *top++ = *pc++; NEXT;
add: top--; top[-1] += top[0]; NEXT;
mul: top--; top[-1] *= top[0]; NEXT;
swap: { long t = top[-1]; top[-1] = top[-2]; top[-2] = t; } NEXT;
jnz: if (top[-1]) { pc += *pc; } else { pc++; } NEXT;
dup: top[0] = top[-1]; top++; NEXT;
dec: top[-1]--; NEXT;
print: printf("%ld ", top[-1]); NEXT;
halt: return top[-2];
}

int main(void) {
    /* acc=1 n=10; do { acc *= n; n--; } while (n) */
    static const signed char factorial[] = {PUSH, 1, PUSH, 10, DUP, PRINT, JNZ, 2, HALT, PUSH, 0, ADD,
        SWAP, PUSH, 3, ADD, SWAP, DEC, JNZ, -13, HALT};
    long r = run(factorial);
    printf("= %ld\n", r);
    return (int)(r & 127);
}
