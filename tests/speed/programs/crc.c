/* CRC-32 bit by bit, and Adler-32. */
#include <stdint.h>
#include <stdio.h>
static uint8_t data[1 << 16];
static uint32_t crc(const uint8_t *p, int n) {
    uint32_t c = ~0u;
    for (int i = 0; i < n; i++) {
        c ^= p[i];
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}
static uint32_t adler(const uint8_t *p, int n) {
    uint32_t a = 1, b = 0;
    for (int i = 0; i < n; i++) a = (a + p[i]) % 65521, b = (b + a) % 65521;
    return b << 16 | a;
}
int main(void) {
    for (unsigned i = 0; i < sizeof data; i++) data[i] = i * 2654435761u >> 13;
    uint32_t sum = 0;
    for (int round = 0; round < 220; round++) {
        sum = sum * 31 + crc(data, sizeof data) + adler(data, sizeof data);
        data[round] += sum;
    }
    printf("%08x\n", sum);
}
