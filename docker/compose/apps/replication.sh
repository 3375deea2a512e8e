# SPDX-License-Identifier: Apache-2.0
# Sourced by the primary's image at its first start: the standby may follow.
echo "host replication all all trust" >> "$PGDATA/pg_hba.conf"
