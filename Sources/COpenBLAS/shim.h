// OpenBLAS's C interface as Swift sees it. Header only.
#pragma once
#include <cblas.h>
