/* Structures by value, returned in registers and memory, compound literals, flexible arrays. */
#include <complex.h>
#include <stdio.h>
#include <stdlib.h>

struct small { int a, b; };
struct mixed { double d; int i; float f; };
struct large { long v[9]; };
struct flexible { int n; short items[]; };

static struct small flip(struct small s) { return (struct small){s.b, s.a - 1}; }
static struct mixed blend(struct mixed x, struct mixed y) { return (struct mixed){x.d + y.f, x.i * y.i, y.f - x.f}; }
static struct large rotate(struct large l, int by) {
    struct large r;
    for (int i = 0; i < 9; i++) r.v[(i + by) % 9] = l.v[i] + by;
    return r;
}
static double complex spin(double complex z, int n) { while (n--) z = z * (0.5 + 0.5 * I) + 1; return z; }

int main(void) {
    struct small s = {1, 2};
    for (int i = 0; i < 9; i++) s = flip(s);
    struct mixed m = blend((struct mixed){1.5, 3, 2.5f}, (struct mixed){-1, 7, 0.25f});
    struct large l = {{1, 2, 3, 4, 5, 6, 7, 8, 9}};
    for (int i = 1; i < 5; i++) l = rotate(l, i);
    struct flexible *f = malloc(sizeof *f + 6 * sizeof(short));
    f->n = 6;
    for (int i = 0; i < f->n; i++) f->items[i] = (short)(i * 9000);
    double complex z = spin(1 + 2 * I, 10);
    printf("%d %d %.3f %d %.3f %ld %ld %d %.6f %.6f\n", s.a, s.b, m.d, m.i, m.f, l.v[0], l.v[8], f->items[5], creal(z), cimag(z));
    free(f);
    return s.a & 31;
}
