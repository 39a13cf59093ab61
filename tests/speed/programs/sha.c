/* The compression function of SHA-256 over generated blocks. */
#include <stdint.h>
#include <stdio.h>
static uint32_t k[64];
static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }
static void compress(uint32_t h[8], const uint32_t block[16]) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) w[i] = block[i];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    for (int i = 0; i < 8; i++) v[i] = h[i];
    for (int i = 0; i < 64; i++) {
        uint32_t e = v[4], a = v[0];
        uint32_t t1 = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + k[i] + w[i];
        uint32_t t2 = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
        for (int j = 7; j > 0; j--) v[j] = v[j - 1];
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}
int main(void) {
    uint32_t h[8] = {1, 2, 3, 4, 5, 6, 7, 8}, block[16];
    for (int i = 0; i < 64; i++) k[i] = 0x428a2f98u * (i + 1) ^ i << 24;
    for (int round = 0; round < 500000; round++) {
        for (int i = 0; i < 16; i++) block[i] = round * 16 + i + h[i & 7];
        compress(h, block);
    }
    printf("%08x%08x\n", h[0], h[7]);
}
