# SPDX-License-Identifier: Apache-2.0
"""The shop's other dependency: prices by HTTP. It is healthy always; mishap breaks the way to it."""
from fastapi import FastAPI

app = FastAPI(title="pricing")


@app.get("/price/{sku}")
async def price(sku: str):
    return {"sku": sku, "cents": 990 + 10 * (sum(sku.encode()) % 50)}


@app.get("/offers")
async def offers():
    return {"offers": ["sku-3", "sku-7"]}
