"""Answers alerts about Deployments that run wild: asks for them to be scaled to zero."""

import asyncio

from mcp import Client


async def call(client, tool, **arguments):
    answer = (await client.call_tool(tool, arguments)).structured_content
    print(tool, answer.get("phase", ""), answer.get("next", ""), flush=True)
    return answer


async def main():
    async with Client("http://127.0.0.1:7442/mcp") as client:
        for alert in (await call(client, "list_triggers", wait=45))["triggers"]:
            labels = alert["labels"]
            names = {"namespace": labels["namespace"], "name": labels["deployment"]}
            target = {"apiVersion": "apps/v1", "kind": "Deployment", **names}
            read = await call(client, "kubernetes_get", **target)
            if read["object"]["spec"]["replicas"] == 0:
                continue
            reasoning = {"summary": f"{labels['alertname']} is firing", "evidence": [read["evidence"]]}
            outcome = await call(client, "workload_scale", target=target, params={"replicas": 0},
                                 reasoning=reasoning, trigger=alert["id"])
            while outcome.get("final") is False:
                outcome = await call(client, "await_outcome", intent=outcome["intent"])


asyncio.run(main())
