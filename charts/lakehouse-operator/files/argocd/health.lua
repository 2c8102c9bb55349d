-- Health of every kind of lakehouse.dev for Argo CD, from the conditions that kstatus knows.
if obj.spec ~= nil and obj.spec.suspend == true then
  return {status = "Suspended", message = "suspended"}
end
if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the operator has not seen this change yet"}
end
local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
if found.Stalled ~= nil and found.Stalled.status == "True" then
  return {status = "Degraded", message = found.Stalled.message}
end
if found.Reconciling ~= nil and found.Reconciling.status == "True" then
  return {status = "Progressing", message = found.Reconciling.message}
end
if found.Ready ~= nil and found.Ready.status == "True" then
  return {status = "Healthy", message = found.Ready.message}
end
if found.Ready ~= nil and found.Ready.status == "False" then
  return {status = "Degraded", message = found.Ready.message}
end
return {status = "Progressing", message = "no run has ended yet"}
