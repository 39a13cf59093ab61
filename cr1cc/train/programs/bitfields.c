/* Bit-fields and packed, unaligned structures. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct flags { unsigned a : 3; int b : 5; unsigned long long c : 33; unsigned : 0; signed d : 1; unsigned e : 31; };
struct __attribute__((packed)) record { char tag; uint32_t value; uint16_t half; uint64_t wide; };
union view { float f; uint32_t u; unsigned char bytes[4]; };

static uint64_t mix(const struct flags *f) { return f->a + (uint64_t)f->b * 7 + f->c * 3 + (uint64_t)(f->d * 11) + f->e; }

int main(void) {
    struct flags f = {0};
    uint64_t hash = 0;
    for (int i = 0; i < 64; i++) {
        f.a += (unsigned)i;
        f.b = (i * 5) % 16 - 8;
        f.c = (f.c << 3) ^ (unsigned)i;
        f.d = -(i & 1);
        f.e ^= (unsigned)i * 2654435761u;
        hash = hash * 1099511628211u + mix(&f);
    }
    unsigned char raw[64];
    struct record r[3] = {{'x', 0xdeadbeef, 77, 1ull << 50}, {'y', 1, 2, 3}, {'z', ~0u, 0xffff, 0}};
    for (int i = 0; i < 3; i++) r[i].value += r[(i + 1) % 3].half, r[i].wide ^= r[i].value;
    memcpy(raw, r, sizeof r);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof r; i++) sum = sum * 33 + raw[i];
    union view v = {.f = -1.5f};
    printf("%llu %u %zu %x %d\n", (unsigned long long)hash, sum, sizeof r, v.u, v.bytes[3]);
    return f.b & 15;
}
