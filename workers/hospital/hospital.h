/* The hospital worker: accepts requests for blood, hands them to the banks, and keeps their status. */
#pragma once

#include "worker.h"

extern const struct worker hospital;
