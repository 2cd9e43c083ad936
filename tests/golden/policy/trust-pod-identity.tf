data "aws_iam_policy_document" "dhmc_trust" {
  statement {
    sid    = "ThePodMayAssumeThisRole"
    effect = "Allow"
    actions = [
      "sts:AssumeRole",
      "sts:TagSession"
    ]

    principals {
      type = "Service"
      identifiers = [
        "pods.eks.amazonaws.com"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values = [
        "dhmc"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values = [
        "dhmc-controller"
      ]
    }
  }
}

resource "aws_iam_role" "dhmc" {
  name               = "dhmc-controller"
  path               = "/"
  description        = "What dhmc-controller runs as."
  assume_role_policy = data.aws_iam_policy_document.dhmc_trust.json
}

output "role_arn" {
  value = aws_iam_role.dhmc.arn
}
