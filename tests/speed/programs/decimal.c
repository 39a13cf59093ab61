/* Digits of e and powers of two, in long numbers. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
enum { DIGITS = 2200, WORDS = 600 };
static uint32_t number[WORDS], other[WORDS], product[2 * WORDS];
static void multiply(const uint32_t *a, const uint32_t *b, uint32_t *to) {
    memset(to, 0, 2 * WORDS * sizeof *to);
    for (int i = 0; i < WORDS; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < WORDS; j++) {
            carry += (uint64_t)a[i] * b[j] + to[i + j];
            to[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        to[i + WORDS] = (uint32_t)carry;
    }
}
static uint32_t euler(void) {
    static int a[DIGITS];
    uint32_t sum = 0;
    for (int i = 0; i < DIGITS; i++) a[i] = 1;
    for (int digit = 0; digit < DIGITS / 2; digit++) {
        int carry = 0;
        for (int i = DIGITS - 1; i > 0; i--) {
            int t = a[i] * 10 + carry;
            carry = t / (i + 1), a[i] = t % (i + 1);
        }
        sum = sum * 7 + (uint32_t)carry;
    }
    return sum;
}
int main(void) {
    uint32_t sum = 0;
    for (int i = 0; i < WORDS; i++) number[i] = i * 2654435761u, other[i] = ~number[i] ^ i;
    for (int round = 0; round < 450; round++) {
        multiply(number, other, product);
        memcpy(number, product + WORDS / 2, sizeof number);
        sum = sum * 31 + product[WORDS];
    }
    printf("%u %u %u\n", sum, euler(), euler());
}
