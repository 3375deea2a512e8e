/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that this project refuses: each has a bounded or strict twin. Include it last. */
#pragma once

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets
