/* An interpreter of a small machine, once with a switch and once with computed goto. */
#include <stdio.h>
enum { LOAD, ADD, SUB, MUL, XOR, SHIFT, LOOP, END };
typedef struct { unsigned char op, a, b, c; } Instruction;
static const Instruction code[] = {
    {ADD, 1, 1, 6}, {XOR, 3, 3, 1}, {SHIFT, 4, 3, 3}, {MUL, 2, 1, 5}, {SUB, 3, 3, 4},
    {ADD, 2, 2, 6}, {XOR, 1, 1, 2}, {ADD, 5, 5, 6}, {LOOP, 0, 0, 0}, {END, 0, 0, 0},
};
static unsigned by_switch(unsigned r[8]) {
    for (const Instruction *i = code;; i++) switch (i->op) {
        case ADD: r[i->a] = r[i->b] + r[i->c]; break;
        case SUB: r[i->a] = r[i->b] - r[i->c]; break;
        case MUL: r[i->a] = r[i->b] * r[i->c]; break;
        case XOR: r[i->a] = r[i->b] ^ r[i->c]; break;
        case SHIFT: r[i->a] = r[i->b] >> i->c; break;
        case LOOP: if (--r[0]) i = code - 1; break;
        case END: return r[1] ^ r[3];
        default: return 0;
    }
}
static unsigned by_goto(unsigned r[8]) {
    static void *const to[] = {&&end, &&add, &&sub, &&mul, &&xor, &&shift, &&loop, &&end};
    const Instruction *i = code;
#define NEXT goto *to[(++i)->op]
    goto *to[i->op];
add: r[i->a] = r[i->b] + r[i->c]; NEXT;
sub: r[i->a] = r[i->b] - r[i->c]; NEXT;
mul: r[i->a] = r[i->b] * r[i->c]; NEXT;
xor: r[i->a] = r[i->b] ^ r[i->c]; NEXT;
shift: r[i->a] = r[i->b] >> i->c; NEXT;
loop: if (--r[0]) i = code - 1; NEXT;
end: return r[1] ^ r[3];
}
int main(void) {
    unsigned sum = 0;
    for (unsigned round = 0; round < 30; round++) {
        unsigned r[8] = {150000, round, 3, 5, 7, 9, 1, 0};
        sum = sum * 31 + (round & 1 ? by_switch : by_goto)(r);
    }
    printf("%u\n", sum);
}
